"""Every skip needs a written reason: one that tests/skips.txt does not list fails the run."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

_LISTED = Path(__file__).with_name("skips.txt")
_unlisted: list[str] = []


def pytest_configure() -> None:
    """Whatever starts a run in the background may have it ignore SIGINT; the programs of tests must not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        note(report.nodeid, reason_of(report.longrepr))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        note(report.nodeid, reason_of(report.longrepr))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _unlisted and not is_worker(session.config):
        session.exitstatus = max(int(session.exitstatus), int(pytest.ExitCode.TESTS_FAILED))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _unlisted:
        terminalreporter.section("skipped without a reason in tests/skips.txt")
        for line in _unlisted:
            terminalreporter.line(line)


def note(nodeid: str, reason: str) -> None:
    if reason not in set(listed_reasons(_LISTED.read_text())):
        _unlisted.append(f"{nodeid}: {reason or 'no reason given'}")


def reason_of(longrepr: object) -> str:
    """The reason as the test wrote it: pytest hands (file, line, `Skipped: reason`)."""
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr or "")
    return text.removeprefix("Skipped: ").strip()


def listed_reasons(text: str) -> Iterator[str]:
    """The first column of `reason: why that is all right`; a reason without its why does not count."""
    for line in text.splitlines():
        reason, _, why = line.partition(":")
        if why.strip() and not line.startswith("#"):
            yield reason.strip()


def is_worker(config: pytest.Config) -> bool:
    """With xdist only the process that gathers the reports judges them."""
    return hasattr(config, "workerinput")
