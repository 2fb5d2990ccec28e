"""Which driver is found, and which are refused because somebody else could have changed them."""

import os
from pathlib import Path

import pytest

from onecore.drivers.catalog import Catalog, builtin_remotes, driver_at, search_path
from onecore.drivers.manifest import ACTIONS
from onecore.errors import DriverFailed, InvalidInput, NotFound


def a_driver(remotes: Path, name: str, manifest: str = "", actions: tuple[str, ...] = ACTIONS) -> Path:
    folder = remotes / "pm" / name
    folder.mkdir(parents=True)
    for action in actions:
        (folder / action).write_text("#!/bin/sh\n")
        (folder / action).chmod(0o755)
    if manifest:
        (folder / "driver.yaml").write_text(manifest)
        (folder / "driver.yaml").chmod(0o644)
    for place in (remotes, remotes / "pm", folder):
        place.chmod(0o755)
    return folder


def catalog(*remotes: Path) -> Catalog:
    return Catalog([(folder.name, folder) for folder in remotes])


def test_first_match_on_the_search_path_wins(tmp_path: Path) -> None:
    a_driver(tmp_path / "second", "aws")
    a_driver(tmp_path / "first", "aws")
    a_driver(tmp_path / "second", "only-here")
    both = catalog(tmp_path / "missing", tmp_path / "first", tmp_path / "second")
    assert both.get("aws").origin == "first"
    assert [(e.name, e.origin) for e in both.list()] == [("aws", "first"), ("only-here", "second")]


def test_a_broken_first_match_is_never_passed_over(tmp_path: Path) -> None:
    a_driver(tmp_path / "first", "aws").chmod(0o777)
    a_driver(tmp_path / "second", "aws")
    with pytest.raises(DriverFailed, match="writable by group or others"):
        catalog(tmp_path / "first", tmp_path / "second").get("aws")


def test_search_path_is_what_the_user_named_then_the_system_then_built_in() -> None:
    found = search_path([("--remotes", Path("/a")), ("ONE_REMOTES", Path("/b"))])
    assert [origin for origin, _ in found] == [
        "--remotes",
        "ONE_REMOTES",
        "/etc/one/remotes",
        "/var/lib/one/remotes",
        "built in",
    ]


def test_the_built_in_remotes_are_there() -> None:
    assert (builtin_remotes() / "pm").is_dir()


@pytest.mark.parametrize(
    "name", ["", "..", ".", "a/b", "../aws", "/etc", "Aws", "-x", ".hidden", "a" * 64, "a\n", "a\0"]
)
def test_a_name_that_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        catalog(tmp_path).get(name)


def test_an_unknown_driver_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no driver 'nowhere'"):
        catalog(tmp_path).get("nowhere")


def test_a_folder_that_leads_out_of_the_registry_is_refused(tmp_path: Path) -> None:
    outside = a_driver(tmp_path / "elsewhere", "aws")
    a_driver(tmp_path / "remotes", "other")
    (tmp_path / "remotes" / "pm" / "aws").symlink_to(outside)
    with pytest.raises(DriverFailed, match="leads out of"):
        catalog(tmp_path / "remotes").get("aws")


def test_an_executable_that_leads_out_of_the_registry_is_refused(tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "aws")
    (folder / "cancel").unlink()
    (folder / "cancel").symlink_to("/bin/true")
    with pytest.raises(DriverFailed, match=r"driver 'aws' cannot cancel: .* leads out of"):
        catalog(tmp_path).get("aws").executable("cancel")


def test_a_link_inside_the_registry_is_followed(tmp_path: Path) -> None:
    a_driver(tmp_path, "common")
    folder = a_driver(tmp_path, "aws", actions=ACTIONS[1:])
    (folder / "deploy").symlink_to("../common/deploy")
    assert catalog(tmp_path).get("aws").problems() == ()


def test_the_registry_itself_may_be_a_link(tmp_path: Path) -> None:
    a_driver(tmp_path / "real", "aws")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert catalog(tmp_path / "link").get("aws").executable("deploy").exists()


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o722])
@pytest.mark.parametrize("which", [".", "lib.sh", "deploy", ".."])
def test_what_others_can_write_is_refused(which: str, mode: int, tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "aws")
    (folder / "lib.sh").write_text("")
    (folder / which).chmod(mode)
    with pytest.raises(DriverFailed, match="is writable by group or others"):
        catalog(tmp_path).get("aws")


def test_an_executable_that_became_writable_later_is_refused(tmp_path: Path) -> None:
    a_driver(tmp_path, "aws")
    found = catalog(tmp_path).get("aws")
    (found.path / "deploy").chmod(0o775)
    with pytest.raises(DriverFailed, match=r"cannot deploy: .* is writable"):
        found.executable("deploy")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(a_driver(tmp_path, "aws") / "deploy", 54321, 54321)
    with pytest.raises(DriverFailed, match="belongs to neither root nor you"):
        catalog(tmp_path).get("aws")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_missing_action_is_named(action: str, tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "aws", actions=tuple(a for a in ACTIONS if a != action))
    driver = catalog(tmp_path).get("aws")
    with pytest.raises(DriverFailed) as failed:
        driver.executable(action)
    assert failed.value.message == f"driver 'aws' cannot {action}: {folder / action} is missing"
    with pytest.raises(DriverFailed, match=f"driver 'aws' is not whole: .*/{action} is missing"):
        driver.require_whole()


def test_an_action_that_is_not_executable_is_named(tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "aws")
    (folder / "reset").chmod(0o644)
    with pytest.raises(DriverFailed) as failed:
        catalog(tmp_path).get("aws").executable("reset")
    assert (
        failed.value.message
        == f"driver 'aws' cannot reset: driver action script not executable: {folder / 'reset'}"
    )


def test_an_executable_that_is_not_declared_is_not_used(tmp_path: Path) -> None:
    a_driver(tmp_path, "aws", actions=(*ACTIONS, "list"))
    driver = catalog(tmp_path).get("aws")
    assert not driver.can("list")
    with pytest.raises(DriverFailed, match="driver 'aws' cannot list: it does not declare the extension"):
        driver.executable("list")


def test_a_declared_extension_is_used_and_has_to_be_there(tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "aws", "extensions: [list, plans]", (*ACTIONS, "list"))
    driver = catalog(tmp_path).get("aws")
    assert driver.executable("list") == folder / "list"
    assert driver.problems() == (f"{folder / 'plans'} is missing",)


def test_list_shows_broken_drivers_with_their_problem_and_the_good_ones_all_the_same(tmp_path: Path) -> None:
    a_driver(tmp_path, "good")
    a_driver(tmp_path, "bad-yaml", "limits: {parallel: 0}")
    a_driver(tmp_path, "open").chmod(0o777)
    a_driver(tmp_path, "partial", actions=("deploy",))
    a_driver(tmp_path, "Upper")
    (tmp_path / "pm" / "dangling").symlink_to("nowhere")
    (tmp_path / "pm" / "README").write_text("no driver")
    entries = {entry.name: entry for entry in catalog(tmp_path).list()}
    assert sorted(entries) == ["Upper", "bad-yaml", "dangling", "good", "open", "partial"]
    assert [name for name, entry in entries.items() if not entry.problem] == ["good"]
    assert "driver.yaml:1" in entries["bad-yaml"].problem
    assert entries["partial"].driver is not None
    assert "cancel is missing" in entries["partial"].problem


def test_a_changed_manifest_is_read_again(tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "aws", "description: one")
    known = catalog(tmp_path)
    assert known.get("aws").manifest.description == "one"
    (folder / "driver.yaml").write_text("description: two and more")
    assert known.get("aws").manifest.description == "two and more"


def test_a_driver_anywhere_can_be_taken_by_its_path(tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "mine")
    assert driver_at(folder).executable("deploy") == folder / "deploy"
    with pytest.raises(NotFound):
        driver_at(tmp_path / "nothing")


def test_a_driver_under_a_sticky_folder_such_as_tmp_is_taken(tmp_path: Path) -> None:
    folder = a_driver(tmp_path, "mine")
    folder.parent.chmod(0o1777)
    assert driver_at(folder).name == "mine"
