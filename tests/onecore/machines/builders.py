"""Records, facts and looks with sensible defaults, and strategies for all there can be of them."""

from hypothesis import strategies as st

from onecore.machines.calls import Seen
from onecore.machines.decide import Facts, Health, Sight
from onecore.machines.model import Kind, Resource, RetryPolicy, State, Wanted
from tests.onecore.store.builders import a_resource

NOW = 1000.0
PRESENT, ABSENT = Wanted.PRESENT, Wanted.ABSENT

LISTS = Facts(can_list=True, idempotent=False)
LISTS_AND_REPEATS = Facts(can_list=True, idempotent=True)
REPEATS = Facts(can_list=False, idempotent=True)
NEITHER = Facts(can_list=False, idempotent=False)
ALL_FACTS = (LISTS, LISTS_AND_REPEATS, REPEATS, NEITHER)

POLICY = RetryPolicy(retries=3, sleep_s=1.0)
FORCE = RetryPolicy(retries=3, sleep_s=1.0, force=True)

NEVER_LOOKED = Sight()
STALE = Sight(NOW - 100, Health.RUNNING, "id-1")
NOT_THERE = Sight(NOW)


def there(health: Health = Health.RUNNING, at: float = NOW) -> Sight:
    return Sight(at, health, "id-1")


def a_machine(state: State = State.NEW, **changed) -> Resource:
    return a_resource(**{"state": state, "since": NOW - 10, **changed})


MOMENT = st.sampled_from([0.0, NOW - 700, NOW - 30, NOW - 10, NOW - 0.1, NOW])
RESOURCES = st.builds(
    Resource,
    id=st.just(0),
    kind=st.sampled_from(Kind),
    name=st.just("provision-a"),
    owner=st.just("provision/0"),
    driver=st.just("dummy"),
    provider_id=st.none(),
    number=st.just(0),
    label=st.just("host-0"),
    wanted=st.sampled_from(Wanted),
    state=st.sampled_from(State),
    deploy_id=st.sampled_from(["", "id-1"]),
    lag_s=st.sampled_from([0.0, 5.0, 20.0]),
    failures=st.integers(0, 5),
    since=MOMENT,
    next_at=st.sampled_from([0.0, NOW - 5, NOW, NOW + 5]),
    error=st.sampled_from(["", "quota reached"]),
)
FACTS = st.builds(
    Facts,
    can_list=st.booleans(),
    idempotent=st.booleans(),
    confirm_s=st.sampled_from([0.0, 15.0]),
    boot_s=st.sampled_from([1.0, 600.0]),
)
SIGHTS = st.builds(
    Sight,
    at=MOMENT,
    health=st.none() | st.sampled_from(Health),
    deploy_id=st.just("id-1"),
    salvaged_id=st.sampled_from(["", "id-1"]),
)
POLICIES = st.builds(
    RetryPolicy, retries=st.integers(0, 3), sleep_s=st.sampled_from([0.0, 1.0]), force=st.booleans()
)


def seen_as(sight: Sight, name: str = "provision-a") -> Seen | None:
    """What goes with a sight of it."""
    if sight.health is None:
        return None
    return Seen(name, sight.deploy_id, sight.health, ("192.0.2.1",), {"CPU": "1"})
