"""What became of each host in a run of OpenTofu: from its state and its log, pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from onecore.tofu_output import Heard
from oneprovision.model.slots import Picture, Placed, Slot, errors_of, half_made


class Fate(StrEnum):
    """LOST: it was begun, and whether it exists cannot be told."""

    MADE = "made"
    REMOVED = "removed"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True)
class Verdict:
    fate: Fate
    text: str = ""
    host: Placed | None = None


@dataclass(frozen=True)
class Report:
    """A run that is over: what it left, what it said, and why it failed. `heard` None: its log cannot be
    trusted (another boot, or lost), so everything that it was to make may have been begun."""

    after: Picture
    heard: Sequence[Heard] | None
    error: str = ""

    def made(self, slot: Slot) -> Verdict:
        """Of a host that was to be made."""
        host = self.after.whole(slot)
        if self.heard is None:
            if self.after.parts(slot):
                return Verdict(Fate.REFUSED, "its making was cut short; it is made anew")
            return Verdict(Fate.LOST, "it may have been begun, and the log of that is gone")
        cut = [h for h in half_made(self.heard) if h.key == slot]
        known = {i.address for i in self.after.state.instances}
        lost = [h.address for h in cut if h.address not in known]
        if lost:
            return Verdict(Fate.LOST, f"the making of {', '.join(lost)} was cut short, and no state knows it")
        if host is not None and not cut:
            return Verdict(Fate.MADE, f"made as {host.instance_id}", host)
        said = errors_of(self.heard, slot) or self.error
        return Verdict(Fate.REFUSED, said or "OpenTofu ended, but provisioned_hosts does not name it")

    def removed(self, slot: Slot) -> Verdict:
        """Of a host that was to be removed."""
        if not self.after.exists(slot):
            return Verdict(Fate.REMOVED, "removed")
        said = errors_of(self.heard or (), slot) or self.error
        return Verdict(Fate.REFUSED, said or "it is still in the state")

    def to_taint(self, making: Sequence[Slot]) -> list[str]:
        """What stands in the state as if it were whole, although its making was cut short."""
        state = self.after.state.instances
        if self.heard is None:
            return [i.address for i in state if i.key in making and not i.tainted]
        cut = {h.address for h in half_made(self.heard) if h.action in ("create", "replace")}
        return [i.address for i in state if i.address in cut and i.key in making and not i.tainted]

    def shared_lost(self) -> list[str]:
        """What all hosts share, was begun, and is in no state: for people to look after."""
        known = {i.address for i in self.after.state.instances}
        return [h.address for h in half_made(self.heard or ()) if h.key is None and h.address not in known]
