"""The skeleton for drivers in Python speaks the protocol on its own."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from onecore.drivers import kit
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.protocol import parse_poll

XML = to_xml(Deployment("m", "kvm", "kvm", "cloud", {"plan": "a & b"}, connection={"remote_user": "root"}))


def called(action: str, *arguments: str) -> kit.Call:
    calls: list[kit.Call] = []
    assert kit.run({action: calls.append}, (f"/r/pm/x/{action}", *arguments)) == 0
    return calls[0]


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("on_stdin", [True, False])
def test_deploy_reads_the_xml_from_stdin_or_from_the_file(
    on_stdin: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "d.xml"
    file.write_text("<HOST/>" if on_stdin else XML)
    piped(monkeypatch, XML.encode() if on_stdin else b"")
    call = called("deploy", str(file), "h", "7", "h")
    assert (call.name, call.host, call.host_id) == ("m", "h", "7")
    assert (call.provision, call.connection) == ({"PLAN": "a & b"}, {"REMOTE_USER": "root"})


@pytest.mark.parametrize("action", ["cancel", "poll", "reboot", "reset", "suspend", "resume"])
def test_actions_on_a_machine_get_its_id_and_host(action: str) -> None:
    assert called(action, "i-1", "h", "7", "h") == kit.Call(action, "h", "7", "i-1")


def test_the_other_actions_get_their_own_arguments() -> None:
    assert called("shutdown", "i-1", "h", "SHUTDOWN", "7", "h") == kit.Call(
        "shutdown", "h", "7", "i-1", "SHUTDOWN"
    )
    assert called("snapshot", "i-1", "h", "before", "7", "h").snapshot == "before"
    assert called("release_ip", "ip-1", "tag").address_id == "ip-1"
    assert called("assign_ip", "ip-1", "i-1").deploy_id == "i-1"
    assert called("list") == kit.Call("list")


def test_an_address_may_come_with_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, XML.encode())
    call = called("allocate_ip", "tag")
    assert (call.tag, call.name, call.asked("plan")) == ("tag", "", "a & b")
    piped(monkeypatch, b"")
    assert called("allocate_ip", "tag") == kit.Call("allocate_ip", tag="tag")


def test_parameters_are_asked_for_by_their_lower_case_name() -> None:
    call = kit.Call("deploy", provision={"PLAN": " small ", "TAGS": "a, b,,c", "EMPTY": ""})
    assert (call.asked("plan"), call.asked("empty", "none"), call.asked("region", "ams")) == (
        "small",
        "none",
        "ams",
    )
    assert call.list("tags") == ["a", "b", "c"]


def test_a_driver_serves_the_module_beside_its_program_and_leaves_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "shed.py").write_text("ACTIONS = {'list': lambda call: ['it']}\n")
    program = tmp_path / "list"
    program.write_text("from onecore.drivers.kit import serve\n\nserve('shed')\n")
    done = subprocess.run([sys.executable, program], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b'["it"]\n')
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list", "shed.py"]


def test_a_part_that_is_not_installed_is_named(tmp_path: Path) -> None:
    program = tmp_path / "list"
    program.write_text("from onecore.drivers.kit import serve\n\nserve('no_such_part')\n")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a part of this driver is not installed: No module named 'no_such_part'" in done.stderr


def test_the_short_calls_of_the_old_tool_are_taken() -> None:
    assert called("poll", "i-1", "h").host_id == ""


@pytest.mark.parametrize(
    ("action", "answer", "printed"),
    [
        ("cancel", None, ""),
        ("poll", "STATE=a", "STATE=a\n"),
        ("poll", {"STATE": "a", "GUEST_IP_ADDRESSES": "192.0.2.1,192.0.2.2"}, None),
        ("list", [{"name": "m"}], '[{"name": "m"}]\n'),
        ("list", {"a": 1}, '{"a": 1}\n'),
    ],
)
def test_what_the_function_returns_is_printed(
    action: str, answer: object, printed: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit.run({action: lambda call: answer}, (action, "i-1", "h")) == 0
    out = capsys.readouterr().out
    if printed is None:
        assert parse_poll(out.encode()).addresses == ("192.0.2.1", "192.0.2.2")
    else:
        assert out == printed


def failing(exception: Exception) -> kit.Action:
    def action(call: kit.Call) -> object:
        raise exception

    return action


@pytest.mark.parametrize(
    ("action", "arguments", "text", "code"),
    [
        (failing(kit.Failed("quota reached")), ("i-1", "h"), "quota reached", 1),
        (failing(KeyError("x")), ("i-1", "h"), "KeyError: 'x'", 1),
        (failing(kit.Failed("never called")), ("i-1",), "usage: cancel DEPLOY_ID HOST", 2),
    ],
)
def test_errors_come_between_the_markers(
    action: kit.Action, arguments: tuple[str, ...], text: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit.run({"cancel": action}, ("cancel", *arguments)) == code
    captured = capsys.readouterr()
    assert captured.err == f"ERROR MESSAGE --8<------\n{text}\nERROR MESSAGE ------>8--\n"
    assert captured.out == ""


def test_an_action_that_the_driver_does_not_have_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert kit.run({}, ("reboot",)) == 2
    assert "this driver cannot reboot" in capsys.readouterr().err


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE HOST [<!ENTITY a SYSTEM "file:///etc/hostname">]><HOST><NAME>&a;</NAME></HOST>',
        b"<!DOCTYPE HOST><HOST/>",
        b"<HOST><NAME>&a;</NAME></HOST>",
        b"<HOST>",
        b"",
    ],
)
def test_xml_that_is_broken_or_declares_anything_is_refused(xml: bytes) -> None:
    with pytest.raises(kit.Failed):
        kit.read_deployment(xml)


def test_main_exits_with_the_code_and_imports_nothing_heavy() -> None:
    program = (
        "import sys, onecore.drivers.kit as kit\n"
        "heavy = {'subprocess', 'json', 'xml', 'sqlite3', 'logging', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "kit.main({'list': lambda call: [1]}, ['list'])"
    )
    root = Path(kit.__file__).parents[3]
    done = subprocess.run([sys.executable, "-S", "-c", program], cwd=root, capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, [1], b"")
