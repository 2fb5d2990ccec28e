"""Whether a driver keeps the protocol: one machine is taken through its whole life, and removed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from onecore.drivers.call import Calls, Run, Surroundings
from onecore.drivers.catalog import Driver
from onecore.drivers.examination import Examination, NotApplicable, Setting
from onecore.errors import OneError

__all__ = ["Check", "Report", "Setting", "check"]


@dataclass(frozen=True)
class Check:
    """One finding; `ok` None means that it does not apply to this driver."""

    name: str
    ok: bool | None
    detail: str = ""


@dataclass(frozen=True)
class Report:
    driver: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.ok is not False for check in self.checks)


USUAL = Setting()


def check(
    driver: Driver, one_home: Path, parameters: Mapping[str, str], run: Run, setting: Setting = USUAL
) -> Report:
    """Examine the driver with one real machine made from the provision `parameters`."""
    # lazy: brings random and shutil
    from tempfile import TemporaryDirectory

    checks: list[Check] = []
    one_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    calls = Calls(driver, Surroundings(one_home, setting.base_path, setting.secrets), run)
    with TemporaryDirectory(prefix="conformance-", dir=one_home) as folder:
        examination = Examination(calls, Path(folder, "deployment.xml"), parameters, setting)
        try:
            if _take(examination, _FIRST, checks):
                _take(examination, _LIFE, checks)
                _take(examination, _ASIDE, checks)
        finally:
            _take(examination, _LAST, checks)
    return Report(driver.name, tuple(checks))


def _take(examination: Examination, steps: "_Steps", checks: list[Check]) -> bool:
    """Take the steps in order; a failed one that the rest needs ends the series."""
    for name, needed, step in steps:
        try:
            checks.append(Check(name, True, step(examination)))
        except NotApplicable as exc:
            checks.append(Check(name, None, str(exc)))
        except OneError as exc:
            checks.append(Check(name, False, exc.message))
            if needed:
                return False
    return True


_Steps = tuple[tuple[str, bool, Callable[[Examination], str]], ...]
_E = Examination

_FIRST: _Steps = (
    ("the manifest is valid", False, _E.manifest),
    ("the six actions and the declared extensions are executable", True, _E.whole),
)
_LIFE: _Steps = (
    ("there is a machine to choose", True, _E.chosen),
    ("deploy prints a deploy id", True, _E.deploy),
    ("deploying the same name again answers the same id", False, _E.deploy_again),
    ("poll says active after deploy", False, _E.active),
    ("list shows the machine with the same id", False, _E.listed),
    ("reboot leaves the machine active", False, _E.reboot),
    ("reset leaves the machine active", False, _E.reset),
    ("shutdown powers the machine off", False, _E.power_off),
    ("deploy with DEPLOY_ID powers the machine on", False, _E.power_on),
    ("cancel succeeds", False, _E.cancel),
    ("poll says gone after cancel, or fails", False, _E.gone),
    ("cancel again succeeds", False, _E.cancel),
    ("list does not show the machine any more", False, _E.unlisted),
)
_ASIDE: _Steps = (
    ("an unknown deploy id is refused with a reason", False, _E.refusal),
    ("locations, plans, images and prices answer", False, _E.offers),
    ("allocate_ip answers the same address to the same tag", False, _E.addresses),
    ("release_ip succeeds, also for an address that is gone", False, _E.released),
)
_LAST: _Steps = (("nothing is left behind", False, _E.clean_up),)
