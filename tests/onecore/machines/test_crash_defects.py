"""What the crash law found out, each in its smallest form."""

from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.model import Kind, Resource
from onecore.store import resources
from tests.onecore.machines.bench import Bench


def begun(bench: Bench, resource: Resource, step: Step, verb: str) -> int:
    """An operation of which only the intent is recorded."""
    with bench.database.begin() as tx:
        changed = record.started(resource, step, 10.0)
        resources.update(tx, [changed])
        return resources.begin_operation(tx, changed, verb, 1, 10.0, 20.0)


def test_a_look_starts_no_driver_even_where_a_decision_would(bench: Bench):
    bench.want(1)
    bench.worker().settle()
    bench.unwant_all()
    worker = bench.worker()
    worker.refresh()
    assert bench.journal() == [("deploy", "ok")]
    # It would wait for its own driver otherwise, whose output it holds itself.
    worker.recover()
    assert worker.settle().problems == {}
    assert bench.records == []


def test_the_answer_of_a_removal_is_not_taken_for_an_id(bench: Bench):
    (address,) = bench.want(1, kind=Kind.ADDRESS)
    bench.worker().settle()
    number = begun(bench, bench.records[0], Step.DESTROY, "release_ip")
    (bench.home / "run" / f"{number}.out").write_text('{"id": "somebody-elses"}\n')
    bench.worker().recover()
    (found,) = bench.records
    assert found.name == address.name
    assert found.deploy_id.startswith("dummy-ip-")
    assert bench.journal()[-1] == ("release_ip", "unknown")


def test_files_of_an_operation_that_is_still_open_are_kept(bench: Bench):
    (other,) = bench.want(1, owner="provision/7")
    number = begun(bench, other, Step.CREATE, "deploy")
    (bench.home / "run" / f"{number}.xml").touch()
    bench.worker().recover()
    assert bench.left_over() == [f"{number}.xml"]


def test_the_number_of_a_removed_operation_is_never_given_again(bench: Bench):
    first, second = bench.want(2)
    number = begun(bench, first, Step.CREATE, "deploy")
    with bench.database.begin() as tx:
        resources.remove(tx, first.id)
    assert begun(bench, second, Step.CREATE, "deploy") > number
