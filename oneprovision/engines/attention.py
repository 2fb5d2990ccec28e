"""What a run of OpenTofu hears and says meanwhile: whether to stop, progress, lines of the history."""

from onecore.deps import Deps
from onecore.drivers.secrecy import masked_text
from onecore.errors import Interrupted
from onecore.machines.tools import Tools
from onecore.notice import Notice
from oneprovision.engines.journal import Journal
from oneprovision.engines.order import Ordered

TICK_S = 0.2


class Attention:
    """Of one provision under its lease. Nothing that is said shows a secret of its."""

    def __init__(self, deps: Deps, tools: Tools, journal: Journal, ordered: Ordered) -> None:
        self._deps = deps
        self._tools = tools
        self._journal = journal
        self._ordered = ordered
        self._stop = ""

    def asked_to_stop(self) -> str:
        self._stop = self._stop or self._journal.attend() or self._tools.interrupted()
        return self._stop

    def raise_if_asked(self) -> None:
        if self.asked_to_stop():
            raise Interrupted(self._stop)

    def go_on(self) -> bool:
        return not self.asked_to_stop()

    def wait_until(self, moment: float) -> None:
        """Raises Interrupted once somebody asks to stop."""
        while (now := self._tools.clock.now()) < moment:
            self.raise_if_asked()
            self._tools.clock.sleep(min(moment - now, TICK_S))

    def say(self, text: str, level: str = "I") -> None:
        """For those who wait."""
        subject = f"provision {self._ordered.provision.id}"
        self._deps.notify(Notice(self._tools.clock.now(), subject, self.masked(text), level))

    def note(self, text: str, level: str = "I") -> None:
        """For them, and for the history."""
        self._journal.note("OpenTofu", self.masked(text), level)
        self.say(text, level)

    def masked(self, text: str) -> str:
        return masked_text(text, self._ordered.secrets)
