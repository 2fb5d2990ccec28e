"""After a crash: wait for the OpenTofu that outlived us, read what it left, record what became of each host.

What was begun and is in no state is unknown, and stays so: nobody may take it for absent.
"""

from collections.abc import Mapping

from onecore import alive
from onecore.machines.decide import Step
from onecore.machines.model import Resource, State
from onecore.store import resources as store
from onecore.store.resources import Operation
from onecore.tofu_output import Heard, heard_in
from oneprovision.engines.place import Run
from oneprovision.engines.run import Runs

GRACE_S = 5.0


def resolve(runs: Runs, known: dict[int, Resource]) -> None:
    """Bring the records up to date with the run that was cut short, if one was."""
    run = runs.place.begun()
    _outlive(runs, run)
    with runs.tools.database.read() as tx:
        every = store.open_operations(tx, runs.owner)
        before = runs.place.stored(tx)
    open_operations = [o for o in every if o.resource_id in known]
    left = runs.place.left(before)
    if not open_operations and run is None and left == before:
        return
    if run is not None and run.counted:
        left = type(left)(left.text, run.counted)
    heard = _heard(runs, run) if open_operations else ()
    begun = [(o, known[o.resource_id]) for o in open_operations]
    for changed in runs.conclude(_operations(begun), left, heard, "the run was cut short by a crash"):
        known[changed.id] = changed


def _operations(begun: list[tuple[Operation, Resource]]) -> list[tuple[int, Resource, Step]]:
    """An operation whose record was not moved any more (power failed in between) needs no verdict."""
    steps: Mapping[State, Step] = {State.CREATING: Step.CREATE, State.DESTROYING: Step.DESTROY}
    return [(o.id, r, steps[r.state]) for o, r in begun if r.state in steps]


def _heard(runs: Runs, run: Run | None) -> tuple[Heard, ...] | None:
    """The log of the run. Without word of the run, or after another start of the machine, whatever is
    there may be a part of it only."""
    if run is None or run.boot != runs.boot:
        return None
    log = runs.place.log("apply")
    return tuple(heard_in(log.read_bytes())) if log.exists() else ()


def _outlive(runs: Runs, run: Run | None) -> None:
    """Return when nothing of OpenTofu is at work in the place. A plan or a look changes nothing: it is ended;
    an apply goes on until its deadline."""
    pause, told = 0.02, False
    while (log := runs.place.survivor()) is not None:
        late = run is None or runs.tools.clock.now() > run.deadline + GRACE_S
        if log != runs.place.log("apply") or late:
            alive.kill_holders(log)
        elif not told:
            runs.attention.say("waiting for an OpenTofu that outlived the process which started it", "W")
            told = True
        runs.attention.raise_if_asked()
        runs.tools.clock.sleep(pause)
        pause = min(pause * 2, 0.5)
