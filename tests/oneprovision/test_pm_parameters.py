"""What a driver needs and nobody gave is told before anything is made."""

from pathlib import Path

import pytest

from tests.scenario.installation import Installation

TEMPLATE = "name: web\ndefaults: {{provision: {{driver: {driver}{more}}}}}\nhosts: [{{hostname: web}}]\n"


@pytest.mark.parametrize(
    ("driver", "more", "needs", "see"),
    [
        (
            "linode",
            "",
            "'region' or 'location', 'plan' or 'type', 'image'",
            "provider locations|plans|images linode",
        ),
        ("vultr", ", location: ams, plan: p", "'image' or 'os_id'", "provider images vultr"),
        ("digitalocean", ", region: ams3, image: d", "'plan' or 'size'", "provider plans digitalocean"),
        ("ec2", ", image: debian-12", "'plan' or 'type'", "provider plans ec2"),
    ],
)
def test_create_names_all_that_is_missing_and_where_to_look(
    driver: str, more: str, needs: str, see: str, tmp_path: Path
):
    here = Installation(tmp_path / "home")
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.format(driver=driver, more=more))
    answer = here.run("create", str(template))
    assert (answer.code, answer.out) == (2, "")
    assert f"host web-0: provision: driver '{driver}' needs {needs}\n" in answer.err
    assert f"see: oneprovision {see}\n" in answer.err
    assert here.ok("list", "--no-header") == ""
