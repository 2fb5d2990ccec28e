"""The deployment file is the one of the specification, well-formed whatever the values are."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.drivers.deployment import Deployment, to_xml
from onecore.errors import InvalidInput

# The example of the driver guide, with its one wrong closing tag (PACKET_PROJECT) made right.
SAMPLE = """\
<HOST>
  <NAME>provision-c968cbcf40716f8e18caddbb8757c2ca7ed0942a357d511b</NAME>
  <IM_MAD>kvm</IM_MAD>
  <VM_MAD>kvm</VM_MAD>
  <PM_MAD>packet</PM_MAD>
  <TEMPLATE>
    <IM_MAD>kvm</IM_MAD>
    <VM_MAD>kvm</VM_MAD>
    <PM_MAD>packet</PM_MAD>
    <PROVISION>
      <PACKET_TOKEN>*****</PACKET_TOKEN>
      <PACKET_PROJECT>*****</PACKET_PROJECT>
      <FACILITY>ams1</FACILITY>
      <PLAN>baremetal_0</PLAN>
      <HOSTNAME>TestOneProvision1-C7</HOSTNAME>
      <BILLING_CYCLE>hourly</BILLING_CYCLE>
      <OS>centos_7</OS>
    </PROVISION>
    <PROVISION_CONFIGURATION_BASE64>*****</PROVISION_CONFIGURATION_BASE64>
    <PROVISION_CONFIGURATION_STATUS>pending</PROVISION_CONFIGURATION_STATUS>
    <PROVISION_CONNECTION>
      <REMOTE_USER>root</REMOTE_USER>
      <REMOTE_PORT>22</REMOTE_PORT>
      <PUBLIC_KEY>/var/lib/one/.ssh/ddc/id_rsa.pub</PUBLIC_KEY>
      <PRIVATE_KEY>/var/lib/one/.ssh/ddc/id_rsa</PRIVATE_KEY>
    </PROVISION_CONNECTION>
    <CONTEXT>
      <SSH_PUBLIC_KEY>*****</SSH_PUBLIC_KEY>
    </CONTEXT>
  </TEMPLATE>
</HOST>
"""
PACKET = Deployment(
    name="provision-c968cbcf40716f8e18caddbb8757c2ca7ed0942a357d511b",
    im_mad="kvm",
    vm_mad="kvm",
    pm_mad="packet",
    provision={
        "packet_token": "t0ken",
        "packet_project": "pr0ject",
        "facility": "ams1",
        "plan": "baremetal_0",
        "hostname": "TestOneProvision1-C7",
        "billing_cycle": "hourly",
        "os": "centos_7",
    },
    configuration_base64="aGlkZGVu",
    configuration_status="pending",
    connection={
        "remote_user": "root",
        "remote_port": "22",
        "public_key": "/var/lib/one/.ssh/ddc/id_rsa.pub",
        "private_key": "/var/lib/one/.ssh/ddc/id_rsa",
    },
    ssh_public_key="ssh-ed25519 AAAA",
)


def a_deployment(**changes: object) -> Deployment:
    return Deployment(**{"name": "m", "im_mad": "kvm", "vm_mad": "kvm", "pm_mad": "dummy", **changes})  # type: ignore[arg-type]


def parsed(deployment: Deployment) -> ElementTree.Element:
    return ElementTree.fromstring(to_xml(deployment))


def test_masked_file_is_the_sample_of_the_driver_guide() -> None:
    assert to_xml(PACKET, secrets=["packet_project"], masked=True) == SAMPLE


def test_file_for_the_driver_has_the_same_shape_and_the_real_values() -> None:
    real, sample = to_xml(PACKET).splitlines(), SAMPLE.splitlines()
    different = [(r.strip(), s.strip()) for r, s in zip(real, sample, strict=True) if r != s]
    assert different == [
        ("<PACKET_TOKEN>t0ken</PACKET_TOKEN>", "<PACKET_TOKEN>*****</PACKET_TOKEN>"),
        ("<PACKET_PROJECT>pr0ject</PACKET_PROJECT>", "<PACKET_PROJECT>*****</PACKET_PROJECT>"),
        (
            "<PROVISION_CONFIGURATION_BASE64>aGlkZGVu</PROVISION_CONFIGURATION_BASE64>",
            "<PROVISION_CONFIGURATION_BASE64>*****</PROVISION_CONFIGURATION_BASE64>",
        ),
        ("<SSH_PUBLIC_KEY>ssh-ed25519 AAAA</SSH_PUBLIC_KEY>", "<SSH_PUBLIC_KEY>*****</SSH_PUBLIC_KEY>"),
    ]


@pytest.mark.parametrize(
    "key", ["api_token", "SECRET", "ec2_secret", "root_password", "root_passwd", "key", "access_key", "Token"]
)
def test_secret_looking_keys_are_masked_wherever_they_are(key: str) -> None:
    text = to_xml(a_deployment(provision={key: "v4lue"}, extra={"nested": {key: ["v4lue"]}}), masked=True)
    assert "v4lue" not in text
    assert text.count("*****") == 4  # and the two that are always masked


def test_path_of_a_key_is_shown_and_a_key_in_its_place_is_not() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA"
    text = to_xml(a_deployment(connection={"public_key": "/k.pub", "private_key": key}), masked=True)
    assert "<PUBLIC_KEY>/k.pub<" in text
    assert "AAAA" not in text


def test_repr_of_a_deployment_shows_no_values() -> None:
    assert "t0ken" not in repr(PACKET)


def test_deploy_id_is_in_the_file_only_when_it_is_a_provision_parameter() -> None:
    assert "DEPLOY_ID" not in to_xml(PACKET)
    assert (
        parsed(a_deployment(provision={"deploy_id": "i-1"})).findtext("TEMPLATE/PROVISION/DEPLOY_ID") == "i-1"
    )


def test_further_attributes_of_the_host_follow_nested_and_repeated() -> None:
    extra = {"ansible_playbook": "default", "numa": {"cores": 4, "ht": True}, "tag": ["a", "b"], "none": None}
    template = parsed(a_deployment(extra=extra)).find("TEMPLATE")
    assert template is not None
    assert [(child.tag, child.text) for child in template[-5:] if not len(child)] == [
        ("ANSIBLE_PLAYBOOK", "default"),
        ("TAG", "a"),
        ("TAG", "b"),
        ("NONE", None),
    ]
    assert (template.findtext("NUMA/CORES"), template.findtext("NUMA/HT")) == ("4", "true")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"provision": {"a b": "1"}}, "'a b' in PROVISION cannot be an XML tag"),
        ({"provision": {"1st": "1"}}, "'1st' in PROVISION cannot be an XML tag"),
        ({"provision": {"": "1"}}, "'' in PROVISION cannot be an XML tag"),
        ({"provision": {"a><b": "1"}}, "'a><b' in PROVISION cannot be an XML tag"),
        ({"provision": {"stra\u00dfe": "1"}}, "'stra\\xdfe' in PROVISION cannot be an XML tag"),
        ({"provision": {"os": "1", "OS": "2"}}, "'os' and 'OS' in PROVISION are the same tag OS"),
        ({"provision": {"os": "a\x1b[2J"}}, "value of 'OS' holds the character U+001B"),
        ({"name": "a\x00b"}, "value of 'NAME' holds the character U+0000"),
        ({"ssh_public_key": "\ud800"}, "value of 'SSH_PUBLIC_KEY' holds the character U+D800"),
        ({"extra": {"context": {}}}, "host attribute 'CONTEXT' is already part"),
        ({"extra": {"when": object()}}, "value of 'WHEN' is a object"),
    ],
)
def test_what_xml_cannot_carry_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        to_xml(a_deployment(**changes))
    assert refused.value.message.startswith(message)


def test_nesting_without_end_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["a"] = endless
    with pytest.raises(InvalidInput):
        to_xml(a_deployment(extra=endless))


honest = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.from_regex("[a-z_][a-z0-9_.-]{0,8}", fullmatch=True), honest | st.just("a\r\n\tb <&>]]>'\"")
    )
)
def test_every_value_comes_out_of_an_xml_parser_as_it_went_in(provision: dict[str, str]) -> None:
    found = parsed(a_deployment(provision=provision)).iterfind("TEMPLATE/PROVISION/*")
    assert {child.tag: child.text or "" for child in found} == {k.upper(): v for k, v in provision.items()}


@settings(deadline=None)
@given(honest)
def test_every_value_stays_on_the_line_of_its_tag(value: str) -> None:
    text = to_xml(a_deployment(provision={"x": f"{value}\n{value}"}))
    assert len(text.split("\n")) == len(to_xml(a_deployment(provision={"x": ""})).split("\n"))
