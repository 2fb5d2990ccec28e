"""The contract of the doors: the same suite, whoever answers. Each test has names of its own."""

import pytest

from onecore import config
from onecore.bootstrap import open_deps
from onecore.errors import InvalidInput, NotFound, OneError, TimedOut, WrongState
from onecore.http.client import Client
from oneprovision import oneform_store, store
from oneprovision.__main__ import main
from oneprovision.cli.local import LocalProvisions
from oneprovision.cli.local_parts import LocalDrivers, LocalProviders
from oneprovision.cli.remote import RemoteProvisions
from oneprovision.cli.remote_parts import RemoteDrivers, RemoteProviders
from oneprovision.folders import open_catalog
from oneprovision.model.provider import ProviderForm
from oneprovision.usecases.oneform import CreateFromFolder
from oneprovision.usecases.provisions import CreateProvision
from oneprovision.usecases.scaling import RemoveHosts
from tests.oneform import tofu
from tests.oneprovision.api.server import BASE, a_form, a_template


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with a_form(tmp_path_factory.mktemp("remote") / "home") as form:
        yield form.server


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url + BASE, *server.credentials.split(":"))


@pytest.fixture(scope="module")
def deps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    environ = {"ONE_HOME": str(folder / "home"), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    settings = config.read(environ)
    opened = open_deps(settings, (store.SCHEMA, oneform_store.SCHEMA))
    object.__setattr__(opened, "find_drivers", lambda: open_catalog(settings))
    yield opened
    opened.database.close()


@pytest.fixture(params=["local", "remote"])
def provisions(request):
    if request.param == "local":
        return LocalProvisions(request.getfixturevalue("deps"))
    return RemoteProvisions(request.getfixturevalue("client"))


@pytest.fixture(params=["local", "remote"])
def providers(request):
    if request.param == "local":
        return LocalProviders(request.getfixturevalue("deps"))
    return RemoteProviders(request.getfixturevalue("client"))


@pytest.fixture(params=["local", "remote"])
def drivers(request):
    if request.param == "local":
        return LocalDrivers(request.getfixturevalue("deps"))
    return RemoteDrivers(request.getfixturevalue("client"))


def running(door, name, hosts=1):
    """A provision, and what was told while it came to be."""
    told = []
    number = door.create(CreateProvision(a_template(hosts), name), {"fail_retry": 0})
    door.see_through([number], lambda of, event: told.append((of, event.action)))
    return number, told


def test_a_provision_lives_and_dies(provisions):
    number, _ = running(provisions, "life")
    (row,) = [each for each in provisions.rows(done=False) if each.name == "life"]
    assert (row.id, row.user, row.hosts, row.state) == (number, "oneadmin", 1, "RUNNING")
    assert (number, "life") in provisions.names()
    for act in (
        lambda: provisions.add_hosts(number, 1, (), {"threads": 2}),
        lambda: provisions.remove_hosts(number, RemoveHosts(amount=1), {}),
        lambda: provisions.deprovision(number, force=False, effort={}),
    ):
        act()
        provisions.see_through([number], lambda number, event: None)
    body = provisions.document(number)["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
    assert (body["state"], body["pending"]) == ("DONE", [])
    assert [row for row in provisions.rows(done=False) if row.id == number] == []
    provisions.delete(number, force=False, from_db=False)
    with pytest.raises(NotFound):
        provisions.document(number)


def test_a_provision_is_edited_and_its_log_is_read_on(provisions):
    number, _ = running(provisions, "edited")
    provisions.update(number, {"name": "shop", "tags": {"team": "web"}})
    provisions.chmod(number, "u=um,go=,o+u")
    provisions.chown(number, "oneadmin", "users")
    shown = provisions.document(number)["DOCUMENT"]
    assert (shown["NAME"], shown["GNAME"], shown["PERMISSIONS"]["OTHER_U"]) == ("shop", "users", "1")
    assert shown["TEMPLATE"]["PROVISION_BODY"]["tags"] == {"team": "web"}
    provisions.chgrp(number, "oneadmin")
    assert [name for _, name in provisions.objects(number, "host")] == ["edited-0"]
    assert [each["ID"] for each in pool_of(provisions, number)] == [str(number)]
    lines = provisions.log(number)
    assert (lines[0].action, lines[0].level) == ("State changed", "I")
    assert not lines[0].text.startswith("State changed")
    assert provisions.log(number, lines[-1].id) == []
    assert not provisions.is_busy(number)


def pool_of(door, number):
    rows = [row for row in door.rows(done=True) if row.id == number]
    return door.pool(rows)["DOCUMENT_POOL"]["DOCUMENT"]


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda door: door.document(99), NotFound, "99"),
        (lambda door: door.check([98, 99]), NotFound, "98"),
        (lambda door: door.retry(99, False, {}), NotFound, "99"),
        (lambda door: door.create(CreateProvision({"name": "x", "hosts": 3}), {}), InvalidInput, "hosts"),
        (lambda door: door.create(CreateProvision(a_template(), provider_id=77), {}), NotFound, "77"),
    ],
)
def test_what_is_refused_at_one_door_is_refused_at_the_other(provisions, ask, error, said):
    with pytest.raises(error, match=said):
        ask(provisions)


def test_the_only_deployment_of_a_driver_need_not_be_named(provisions):
    tofu()
    number = provisions.create(CreateFromFolder("onprem", name="alone"), {})
    provisions.see_through([number], lambda number, event: None)
    body = provisions.document(number)["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
    assert (body["deployment_file"], body["state"]) == ("ssh_cluster", "RUNNING")


def test_what_a_state_forbids_is_a_wrong_state(provisions):
    number, _ = running(provisions, "steady")
    with pytest.raises(WrongState, match="is RUNNING; cannot retry"):
        provisions.retry(number, False, {})
    with pytest.raises(WrongState, match="already configured"):
        provisions.configure(number, force=False)


def test_providers(providers):
    number = providers.create(ProviderForm(name="ams", driver="pm/dummy", parameters={"latency": "0"}))
    assert (number, "ams") in providers.names()
    providers.update(number, ProviderForm(name="lon", description="d"))
    providers.chmod(number, "640")
    providers.chown(number, "oneadmin", "users")
    providers.chown(number, None, "oneadmin")
    (row,) = [row for row in providers.rows() if row.id == number]
    assert (row.name, row.driver, row.group) == ("lon", "dummy", "oneadmin")
    assert [each["NAME"] for each in providers.pool([row])["DOCUMENT_POOL"]["DOCUMENT"]] == ["lon"]
    body = providers.document(number)["DOCUMENT"]["TEMPLATE"]["PROVIDER_BODY"]
    assert (body["description"], body["parameters"]) == ("d", {"latency": "0"})
    providers.delete(number)
    with pytest.raises(NotFound):
        providers.document(number)


def test_secrets_of_a_provider_are_shown_only_when_asked_for(providers):
    number = providers.create(ProviderForm("cloud", "linode", connection={"token": "s3cret-token"}))
    masked, open_ = providers.document(number), providers.document(number, sensitive=True)
    assert "s3cret-token" not in str(masked)
    assert "s3cret-token" in str(open_)


def test_drivers(drivers):
    assert {"dummy", "onprem"} <= {each["name"] for each in drivers.documents(enabled=False)}
    drivers.disable("dummy")
    assert "dummy" not in {each["name"] for each in drivers.documents(enabled=True)}
    drivers.enable("dummy")
    with pytest.raises(WrongState, match="ENABLED already"):
        drivers.enable("dummy")
    assert drivers.document("dummy")["deployment_confs"][0]["inventory"] == "dummy_cluster"
    assert "onprem" in drivers.sync()["success"]
    with pytest.raises(NotFound):
        drivers.document("nobody")


def test_who_waits_at_a_distance_is_told_what_happens_and_how_it_ended(client):
    door = RemoteProvisions(client)
    number, told = running(door, "told")
    assert {of for of, _ in told} == {number}
    assert "Resource provisioned" in {action for _, action in told}
    failing = door.create(
        CreateProvision(a_template(1, fail="deploy"), "failing"), {"fail_retry": 0, "threads": 1}
    )
    with pytest.raises(OneError, match=f"provision {failing} is APPLYING_FAILURE"):
        door.see_through([failing], lambda number, event: None)


def test_who_does_not_want_to_wait_longer_is_told_how_to_follow(client):
    door = RemoteProvisions(client, wait_timeout_s=0.0)
    number = door.create(CreateProvision(a_template(1, latency="1"), "slow"), {})
    with pytest.raises(TimedOut, match="not settled yet") as caught:
        door.see_through([number], lambda number, event: None)
    assert f"oneprovision logs {number} --follow" in caught.value.hint


class TestTheCommands:
    """With ONEFORM_URL set."""

    @pytest.fixture(autouse=True)
    def at_a_distance(self, server, monkeypatch, tmp_path):
        user, _, password = server.credentials.partition(":")
        monkeypatch.setenv("ONE_HOME", str(tmp_path / "none"))
        monkeypatch.setenv("ONEFORM_URL", server.url)
        monkeypatch.setenv("ONEFORM_USER", user)
        monkeypatch.setenv("ONEFORM_PASSWORD", password)
        yield
        assert not (tmp_path / "none").exists()  # nothing was made here

    def test_create_returns_as_soon_as_it_is_accepted(self, capsys, tmp_path):
        template = tmp_path / "web.yaml"
        template.write_text("name: accepted\nversion: 1\nhosts: [{provision: {driver: dummy}}]\n")
        assert main(["create", str(template)]) == 0
        printed = capsys.readouterr()
        number = printed.out.removeprefix("ID: ").strip()
        assert f"accepted; follow it with: oneprovision logs {number} --follow" in printed.err
        assert main(["retry", "accepted", "--wait"]) in (0, 5)  # 5: it runs already

    def test_names_are_resolved_by_the_server(self, capsys, client):
        number, _ = running(RemoteProvisions(client), "named")
        assert main(["show", "named", "-j"]) == 0
        assert f'"ID": "{number}"' in capsys.readouterr().out
        assert main(["del-host", "named", "--ids", "nobody"]) == 3
        assert "nobody" in capsys.readouterr().err

    def test_delete_by_force_waits_for_the_end_when_told_so(self, capsys, client):
        number, _ = running(RemoteProvisions(client), "doomed")
        assert main(["delete", "doomed", "--force", "--yes", "--wait"]) == 0
        assert main(["show", str(number)]) == 3

    @pytest.mark.parametrize(
        "argv", [["host", "list"], ["orphans"], ["driver", "list"], ["user", "list"], ["instance", "list"]]
    )
    def test_what_needs_the_machines_own_store_says_so(self, capsys, argv):
        assert main(argv) == 2
        assert f"`oneprovision {' '.join(argv)}` needs the machine's own store" in capsys.readouterr().err
