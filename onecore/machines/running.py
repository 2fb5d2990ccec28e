"""The driver calls of a fleet that run: from the intent on disk to the answer."""

from collections import Counter
from dataclasses import dataclass

from onecore.errors import DriverFailed, OneError
from onecore.machines.answer import Reader
from onecore.machines.calls import Binding
from onecore.machines.charge import Held
from onecore.machines.decide import Step
from onecore.machines.desk import Desk
from onecore.machines.ledger import Call
from onecore.machines.orders import Orders
from onecore.machines.power import Phase
from onecore.machines.tools import Group, group_of
from onecore.process import Ended, Outcome, Work
from onecore.store import lease


@dataclass
class _AtWork:
    """`binding` None: its driver was not found, so that nothing was started."""

    call: Call
    held: Held
    binding: Binding | None = None


class Running:
    """Starts calls, and takes note of what each of them answered."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders
        self._calls: dict[int, _AtWork] = {}
        self._busy: Counter[Group] = Counter()

    def __len__(self) -> int:
        return len(self._calls)

    def is_busy(self, group: Group) -> bool:
        return self._busy[group] > 0

    def launch(self, call: Call) -> Outcome | None:
        """Start it; returns the outcome of one that cannot be started."""
        desk = self._desk
        desk.keep(call.resource)
        held = desk.of[call.resource.id]
        held.calls[call.resource.id] = call
        if call.step is None:
            held.orders[call.resource.id].phase = Phase.AT_WORK
        at_work = self._calls[call.id] = _AtWork(call, held)
        self._busy[group_of(call.resource)] += 1
        try:
            self._refuse_if_late(call)
            command = self._command(at_work)
        except (OneError, OSError) as exc:
            # Nothing was started, so the answer is known.
            problem = exc.message if isinstance(exc, OneError) else f"{exc.strerror}: {exc.filename}"
            return Outcome(Ended.NOT_STARTED, None, b"", b"", 0.0, problem)
        desk.tools.runner.start(call, command)
        return None

    def is_at_work(self, key: object) -> None:
        """A program runs."""
        if isinstance(key, Call):
            self._desk.tools.boundary("driver started")

    def ended(self, call: Call, outcome: Outcome) -> None:
        """What it answered is recorded; what a fleet before us started is none of ours."""
        if call.id not in self._calls or self._calls[call.id].call is not call:
            return
        desk = self._desk
        desk.tools.boundary("driver ended")
        at_work = self._calls.pop(call.id)
        desk.starts.ended(call.resource.driver)
        self._busy[group_of(call.resource)] -= 1
        del at_work.held.calls[call.resource.id]
        if not at_work.held.lost:  # else whoever has the lease finds out what came of it
            self._answered(at_work, outcome)

    def _command(self, at_work: _AtWork) -> Work:
        call, tools = at_work.call, self._desk.tools
        binding = at_work.binding = tools.bind(call.resource)
        file = tools.run_file(call.id)
        if call.step is None:
            return binding.act(call.resource, call.verb, file)
        make = binding.create if call.step is Step.CREATE else binding.destroy
        return make(call.resource, file)

    def _refuse_if_late(self, call: Call) -> None:
        """A process that was suspended after its intent may have lost its lease since: it starts nothing."""
        late = self._desk.tools.clock.now() - call.begun_at
        if late > lease.TTL_S / 2:
            raise DriverFailed(f"not started: this process stood still for {late:.0f} s", retryable=True)

    def _answered(self, at_work: _AtWork, outcome: Outcome) -> None:
        desk, call, held = self._desk, at_work.call, at_work.held
        resource = held.records[call.resource.id]
        now, jitter = desk.tools.clock.now(), desk.tools.jitter()
        reader = Reader(at_work.binding, held.charge.policy, now, jitter)
        answer = reader.read(call, resource, outcome)
        desk.ledger.end(held.charge.owner, call.id, answer.outcome, answer.detail)
        desk.change(answer.record, answer.why, answer.level, answer.action)
        if call.step is None:
            self._orders.answered(held, resource.id, "" if answer.outcome == "ok" else answer.detail)
        desk.attend_to(resource.id)
