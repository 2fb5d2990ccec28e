"""How long to wait, whatever a provider says."""

import pytest

from onecore.drivers.kit.retry_after import LONGEST_S, retry_after

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"Retry-After": "86400"}, LONGEST_S),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30.0),
        ({"ratelimit-reset": "1800000012"}, 12.0),
        ({"ratelimit-reset": "1800003600"}, LONGEST_S),
        ({"Retry-After": "5", "ratelimit-reset": "1800000012"}, 5.0),
        ({"Retry-After": "-1509450059", "ratelimit-reset": "1800000003"}, 3.0),
    ],
)
def test_what_the_provider_says_is_kept_within_reason(headers: dict[str, str], seconds: float):
    assert retry_after(headers, NOW, 0) == seconds


@pytest.mark.parametrize(
    "headers",
    [{}, {"Retry-After": "-1509450059"}, {"Retry-After": "soon"}, {"ratelimit-reset": "-1"}],
)
def test_nonsense_is_replaced_by_a_pause_that_grows(headers: dict[str, str]):
    pauses = [retry_after(headers, NOW, turn) for turn in range(4)]
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < pauses[-1] <= 5.0
