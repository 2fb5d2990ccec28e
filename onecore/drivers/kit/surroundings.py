"""What a driver is told by its environment: where the state is, and the account it works on."""

from pathlib import Path

from onecore import config
from onecore.clock import Clock, SystemClock
from onecore.drivers.kit.program import Failed


def one_home() -> Path:
    """The folder of all state; a driver may keep files of its own in it."""
    home = told("ONE_HOME")
    if not home:
        raise Failed("ONE_HOME is not set: drivers are started by oneprovision")
    return Path(home)


def clock() -> Clock:
    """The time, and the only way to wait."""
    return SystemClock()


def told(variable: str) -> str:
    """A value of the account, under the variable that driver.yaml declares; empty where it was not given."""
    return config.environment().get(variable, "").strip()


def required(variable: str, what: str) -> str:
    """The same, for what nothing can be done without."""
    value = told(variable)
    if not value:
        raise Failed(f"{what} is missing: set {variable}, or create a provider that holds it")
    return value
