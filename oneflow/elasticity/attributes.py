"""What the virtual machines of a role report on average, attribute by attribute."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

Sources = Mapping[str, Mapping[str, object]]

# What a machine says of itself comes first, then what its driver measured. Usage in the machine's own record
# goes before its template, where CPU is not a load but a size.
LOOKUP_ORDER = ("USER_TEMPLATE", "MONITORING", "VM", "TEMPLATE")

_RUNNING = ("3", "3")
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_LEADING_NUMBER = re.compile(rf"\s*[+-]?(?:{_DIGITS}(?:\.{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?[0-9]+)?")


def running_sources(vms: Iterable[Mapping[str, object]]) -> list[Sources]:
    """Where to look in each VM document (the inside of `VM`) that is running: STATE 3 and LCM_STATE 3."""
    return [
        {source: _section(vm, source) for source in LOOKUP_ORDER}
        for vm in vms
        if (str(vm.get("STATE")), str(vm.get("LCM_STATE"))) == _RUNNING
    ]


def averages(names: Iterable[str], vms: Sequence[Sources]) -> dict[str, float | None]:
    """The average of each attribute; None where no machine has it."""
    return {name: average(name, vms) for name in names}


def average(name: str, vms: Sequence[Sources]) -> float | None:
    """The average over the machines that have the attribute, to two places; None if none has it.

    `vms`: one mapping of sources for each running machine, in the order in which they are asked; the first
    source that has the attribute is the only one that counts for its machine.
    """
    found = [value for vm in vms if (value := _number(_first(name.upper(), vm))) is not None]
    return _rounded(sum(found) / len(found)) if found else None


def _section(vm: Mapping[str, object], source: str) -> Mapping[str, object]:
    section = vm if source == "VM" else vm.get(source)
    return section if isinstance(section, Mapping) else {}


def _first(name: str, vm: Sources) -> object:
    return next((source[name] for source in vm.values() if source.get(name) is not None), None)


def _number(value: object) -> float | None:
    """A reading as a number: text without one is 0.0, a vector is no reading."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = _leading(value) if isinstance(value, str) else float(value)
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _leading(text: str) -> float:
    found = _LEADING_NUMBER.match(text)
    return float(found[0].replace("_", "")) if found else 0.0


def _rounded(value: float) -> float | None:
    """To hundredths, halves away from zero, as the averages of older servers."""
    scaled = abs(value) * 100
    if not math.isfinite(scaled):
        return None
    whole = math.floor(scaled)
    hundredths = whole + (scaled - whole >= 0.5)
    return math.copysign(hundredths / 100, value) if hundredths else 0.0
