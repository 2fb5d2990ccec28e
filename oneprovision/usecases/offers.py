"""What a provider offers: places, plans, systems, prices. Asked of its driver, and kept for a day."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onecore import process
from onecore.access import Right, check
from onecore.deps import Deps
from onecore.drivers.call import Calls, Surroundings
from onecore.drivers.catalog import NAME
from onecore.errors import InvalidInput, NotFound
from onecore.machines.binder import Binder
from onecore.machines.calls import Binding
from onecore.store import providers
from oneprovision.usecases.rights import as_resource

KEPT_S = 86_400.0

Offer = Mapping[str, object]


@dataclass(frozen=True)
class Offers:
    """The offers, and when they were asked for (seconds since the epoch)."""

    rows: Sequence[Offer]
    asked_at: float


def offers(deps: Deps, name: str, action: str, refresh: bool = False) -> Offers:
    """`action` is locations, plans, images or prices; `name` a provider (id or name), else a driver, whose
    account is then that of the environment."""
    binding = _binding(deps, name)
    if not binding.driver.can(action):
        raise InvalidInput(
            f"driver '{binding.driver.name}' tells no {action}",
            hint="it does not declare them; see: oneprovision driver show " + binding.driver.name,
        )
    file = deps.settings.home / "cache" / "offers" / f"{_account(binding)}-{action}.json"
    now = deps.clock.now()
    known = None if refresh else _kept(file)
    if known is not None and 0 <= now - known.asked_at < KEPT_S:
        return known
    surroundings = Surroundings(binding.home, binding.base_path, binding.secrets)
    found = Offers(Calls(binding.driver, surroundings, process.run).offers(action), now)
    _keep(file, found)
    return found


def _binding(deps: Deps, name: str) -> Binding:
    binder = Binder(deps)
    with deps.database.read() as tx:
        for provider in providers.every(tx):
            if name in (provider.name, str(provider.id)):
                check(deps.principal, as_resource(tx, provider), Right.USE)
                break
        else:
            provider = None
    if provider is not None:
        return binder.binding(provider.driver, provider.id)
    if NAME.fullmatch(name):
        try:
            return binder.binding(name, None)
        except NotFound:
            pass
    raise NotFound(
        f"there is no provider and no driver {name!r}",
        hint="see: oneprovision provider list, oneprovision driver list",
    )


def _account(binding: Binding) -> str:
    """Names driver and account in a file name; what one account is offered, another may not be."""
    from hashlib import sha256  # lazy: a hash is needed nowhere else

    parts = [f"{name}={value}" for name, value in sorted(binding.secrets.items())]
    told = "\n".join([str(binding.driver.path), *parts])
    return f"{binding.driver.name}-{sha256(told.encode()).hexdigest()[:16]}"


def _kept(file: Path) -> Offers | None:
    """A file that is missing, damaged or of another version is none."""
    try:
        data = json.loads(file.read_text("utf-8"))
        rows = [row for row in data["offers"] if isinstance(row, dict)]
        return Offers(rows, float(data["asked_at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(file: Path, found: Offers) -> None:
    """To keep them is a help: a disk that refuses is no reason to fail."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_text(json.dumps({"asked_at": found.asked_at, "offers": list(found.rows)}), "utf-8")
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
