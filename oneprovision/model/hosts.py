"""From the hosts[] of a template to machines: defaults, counts, names, drivers and connections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oneprovision.model.context import Context
from oneprovision.model.interpolate import Scope, interpolate
from oneprovision.model.merge import overlay
from oneprovision.model.names import check_driver, check_hostname, check_parameter, default_hostname
from oneprovision.model.refusal import Path, refusal, shown
from oneprovision.model.shapes import count_at, mapping_at, mappings_at, text_of
from oneprovision.model.spec import Connection, HostSpec

MAX_HOSTS = 10_000

_BUILT_IN_MAD = "kvm"
_SECTIONS = ("provision", "connection", "configuration")


@dataclass(frozen=True)
class Pattern:
    """One entry of hosts[] over the template's defaults, not evaluated yet."""

    group: int
    mads: Mapping[str, object]
    sections: Mapping[str, Mapping[str, object]]
    attributes: Mapping[str, object]

    @property
    def path(self) -> Path:
        return ("hosts", self.group)


def patterns(template: Mapping[str, object]) -> list[Pattern]:
    """Every entry of hosts[], with what `defaults` says below what the entry says."""
    defaults = mapping_at(template.get("defaults"), ("defaults",))
    return [
        _pattern(group, entry, defaults)
        for group, entry in enumerate(mappings_at(template.get("hosts"), ("hosts",)))
    ]


def numbered(every: list[Pattern], scope: Scope) -> Iterator[tuple[Pattern, int]]:
    """Each pattern as often as its count says, with the numbers from 0 over the whole provision."""
    index = 0
    for pattern in every:
        for _ in range(host_count(pattern, scope)):
            if index >= MAX_HOSTS:
                raise refusal(("hosts",), f"more than {MAX_HOSTS} hosts", "use several provisions")
            yield pattern, index
            index += 1


def host_count(pattern: Pattern, scope: Scope) -> int:
    """How many hosts the entry stands for: 1 unless it says otherwise."""
    path = (*pattern.path, "provision", "count")
    written = pattern.sections["provision"].get("count")
    return 1 if written is None else count_at(interpolate(written, scope, path), path, MAX_HOSTS)


def host(pattern: Pattern, context: Context, scope: Scope, index: int) -> HostSpec:
    """The pattern evaluated as the host with this number."""
    scope = scope.at(index)
    evaluated = {name: _evaluated(pattern, name, scope) for name in _SECTIONS}
    provision = _parameters(pattern, evaluated["provision"], context)
    driver = _driver(pattern, evaluated["provision"], context)
    path = (*pattern.path, "provision", "hostname")
    name = check_hostname(provision.get("hostname") or default_hostname(scope.name, index), path)
    return HostSpec(
        index=index,
        group=pattern.group,
        name=name,
        driver=driver,
        im_mad=_mad(pattern, "im_mad", scope),
        vm_mad=_mad(pattern, "vm_mad", scope),
        provision={**provision, "hostname": name},
        connection=_connection(evaluated["connection"], context, (*pattern.path, "connection")),
        configuration=evaluated["configuration"],
        attributes=mapping_at(interpolate(pattern.attributes, scope, pattern.path), pattern.path),
    )


def _pattern(group: int, entry: Mapping[str, object], defaults: Mapping[str, object]) -> Pattern:
    path: Path = ("hosts", group)
    sections = {}
    for name in _SECTIONS:
        low = mapping_at(defaults.get(name), ("defaults", name))
        high = mapping_at(entry.get(name), (*path, name))
        if name != "configuration":
            # PLAN and plan are one parameter: both become the tag PLAN.
            low, high = _lower(low), _lower(high)
        sections[name] = overlay(low, high)
    for name in (*sections["provision"], *entry):
        check_parameter(name, path)
    return Pattern(
        group=group,
        mads={name: entry.get(name) or defaults.get(name) or _BUILT_IN_MAD for name in ("im_mad", "vm_mad")},
        sections=sections,
        attributes={key: item for key, item in entry.items() if key not in (*_SECTIONS, "im_mad", "vm_mad")},
    )


def _lower(section: Mapping[str, object]) -> dict[str, object]:
    return {key.lower(): value for key, value in section.items()}


def _evaluated(pattern: Pattern, name: str, scope: Scope) -> Mapping[str, object]:
    path = (*pattern.path, name)
    return mapping_at(interpolate(pattern.sections[name], scope, path), path)


def _parameters(pattern: Pattern, given: Mapping[str, object], context: Context) -> dict[str, str]:
    # The provider's parameters are values, not a template: they are never evaluated.
    merged = overlay(_lower(context.default_parameters), given)
    texts = {key: text_of(value) for key, value in merged.items() if value is not None}
    return {key: text for key, text in texts.items() if key not in ("driver", "count")}


def _driver(pattern: Pattern, given: Mapping[str, object], context: Context) -> str:
    path = (*pattern.path, "provision", "driver")
    name = text_of(given.get("driver")) or context.default_driver
    if not name:
        raise refusal(path, "is missing", "name one here or in defaults.provision.driver, or give a provider")
    return check_driver(name, path)


def _mad(pattern: Pattern, name: str, scope: Scope) -> str:
    return text_of(interpolate(pattern.mads[name], scope, (*pattern.path, name)))


def _connection(given: Mapping[str, object], context: Context, path: Path) -> Connection:
    merged = overlay(_lower(context.default_connection), {k: v for k, v in given.items() if v is not None})
    built_in = Connection()
    private_key = _argument(text_of(merged.get("private_key")) or built_in.private_key, path, "private_key")
    port = count_at(merged.get("remote_port", built_in.remote_port), (*path, "remote_port"), 65_535)
    if port == 0:
        raise refusal((*path, "remote_port"), "0 is not a port")
    return Connection(
        remote_user=_argument(
            text_of(merged.get("remote_user")) or built_in.remote_user, path, "remote_user"
        ),
        remote_port=port,
        public_key=_argument(text_of(merged.get("public_key")) or f"{private_key}.pub", path, "public_key"),
        private_key=private_key,
    )


def _argument(text: str, path: Path, name: str) -> str:
    # These become arguments of ssh: one that begins with '-' would be an option of it.
    if text.startswith("-") or not text.isprintable():
        raise refusal((*path, name), f"{shown(text)} cannot be used", "no leading '-', no control characters")
    return text
