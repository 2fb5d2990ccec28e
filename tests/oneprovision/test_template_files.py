import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onecore.errors import InvalidInput
from onecore.schema import load_text
from oneprovision.model.evaluate import evaluate
from oneprovision.model.preview import dump, offline_context
from oneprovision.template_files import follow, read

EXAMPLES = Path(__file__).parents[2] / "examples"


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def test_a_template_extends_others_relative_to_itself(tmp_path):
    written(
        tmp_path, **{"lib/base": "hosts: [{a: base}]\nextends: more.yaml", "lib/more": "hosts: [{a: more}]"}
    )
    written(tmp_path, top="name: web\nextends: lib/base.yaml\nhosts: [{a: top}]")
    assert read(tmp_path / "top.yaml") == {
        "version": 1,
        "name": "web",
        "hosts": [{"a": "more"}, {"a": "base"}, {"a": "top"}],
    }


def test_several_parents_come_in_their_order_and_each_file_once(tmp_path):
    written(
        tmp_path,
        root="hosts: [{a: root}]",
        one="extends: root.yaml\nhosts: [{a: one}]",
        two="extends: root.yaml\nhosts: [{a: two}]",
        top="name: web\nextends: [one.yaml, two.yaml]",
    )
    hosts: Any = read(tmp_path / "top.yaml")["hosts"]
    assert [host["a"] for host in hosts] == ["root", "one", "two"]


def test_sets_come_after_everything_the_files_say(tmp_path):
    written(tmp_path, base="description: a", top="name: web\nextends: base.yaml\ndescription: b")
    assert read(tmp_path / "top.yaml", ["description=c"])["description"] == "c"


def test_a_template_from_a_pipe_extends_files_of_the_folder(tmp_path):
    written(tmp_path, base="name: web")
    found = follow(load_text("extends: base.yaml", "stdin"), tmp_path)
    assert [document.name for document in found] == [str(tmp_path / "base.yaml"), "stdin"]


@pytest.mark.parametrize("parent", ["a.yaml", "b.yaml"])
def test_a_circle_is_refused_with_its_chain(tmp_path, parent):
    written(tmp_path, a=f"name: web\nextends: {parent}", b="extends: ./a.yaml")
    with pytest.raises(InvalidInput, match="in a circle") as caught:
        read(tmp_path / "a.yaml")
    assert caught.value.message.count(" -> ") == (1 if parent == "a.yaml" else 2)
    assert "a.yaml" in caught.value.message.split(" -> ")[-1]


def test_a_missing_parent_is_refused_with_its_chain(tmp_path):
    written(tmp_path, a="name: web\nextends: b.yaml", b="extends: gone.yaml")
    with pytest.raises(
        InvalidInput, match=r"the template 'gone.yaml' does not exist: .*a.yaml -> .*b.yaml -> .*gone"
    ):
        read(tmp_path / "a.yaml")


@pytest.mark.parametrize(("files", "fine"), [(16, True), (17, False)])
def test_sixteen_deep_is_deep_enough(tmp_path, files, fine):
    for at in range(files):
        text = f"extends: f{at + 1}.yaml\nname: web" if at + 1 < files else "name: web"
        written(tmp_path, **{f"f{at}": text})
    if fine:
        assert read(tmp_path / "f0.yaml")["name"] == "web"
    else:
        with pytest.raises(InvalidInput, match="more than 16 deep"):
            read(tmp_path / "f0.yaml")


def test_too_many_files_are_refused(tmp_path):
    names = [f"f{at}" for at in range(64)]
    written(tmp_path, **dict.fromkeys(names, "description: x"))
    written(tmp_path, top=f"name: web\nextends: [{', '.join(f'{name}.yaml' for name in names)}]")
    with pytest.raises(InvalidInput, match="more than 64 files"):
        read(tmp_path / "top.yaml")


def test_what_is_not_a_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    written(tmp_path, top="name: web\nextends: loop.yaml")
    for path, why in [
        (tmp_path, "is not a file"),
        (tmp_path / "pipe.yaml", "is not a file"),
        (Path("/dev/zero"), "is not a file"),
        (tmp_path / "gone.yaml", "does not exist"),
        (tmp_path / "top.yaml", "'loop.yaml' cannot be read: too many levels of symbolic links"),
        (tmp_path / ("x" * 300), "cannot be read: file name too long"),
        (tmp_path / "top.yaml" / "top.yaml", "cannot be read: not a directory"),
        (tmp_path / "a\0b", "cannot be read: embedded null byte"),
    ]:
        with pytest.raises(InvalidInput, match=why):
            read(path)


def test_a_file_of_more_than_a_mebibyte_is_refused(tmp_path):
    written(tmp_path, big="name: web\n" + "# filler\n" * 150_000)
    with pytest.raises(InvalidInput, match="more than 1024 KiB"):
        read(tmp_path / "big.yaml")


def test_an_error_in_a_parent_names_the_parent(tmp_path):
    written(tmp_path, base="hosts:\n- provision: {count: many}", top="name: web\nextends: base.yaml")
    with pytest.raises(InvalidInput, match=r"base.yaml:2: hosts\[0\].provision.count: 'many'"):
        read(tmp_path / "top.yaml")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_evaluates(path):
    template = read(path)
    # One of them leaves the driver to the provider.
    assert dump(evaluate(template, replace(offline_context(template), default_driver="dummy")))


def test_the_showcase_asks_for_its_size():
    template = read(EXAMPLES / "dummy-cluster.yaml", ["input.hosts=5", "input.public_ips=2"])
    spec = evaluate(template, offline_context(template))
    assert [host.name for host in spec.hosts] == [f"dummy-cluster-{at}" for at in range(5)]
    assert [(network.public, network.addresses) for network in spec.networks] == [(False, 0), (True, 2)]
    assert {host.driver for host in spec.hosts} == {"dummy"}


def test_the_rehearsal_is_the_showcase_with_failures():
    template = read(EXAMPLES / "rehearsal.yaml")
    host = evaluate(template, offline_context(template)).hosts[0]
    assert host.name == "rehearsal-0"
    assert (host.provision["latency"], host.provision["fail_first"]) == ("0.2", "deploy:1")


def test_a_template_of_the_old_tools_still_works():
    template = read(EXAMPLES / "legacy-5.8.yaml")
    spec = evaluate(template, offline_context(template))
    assert [host.name for host in spec.hosts] == ["legacy-host1", "legacy-host2"]
    assert spec.networks[0].attributes["cluster_ids"] == "0"
