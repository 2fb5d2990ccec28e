"""What drivers print is understood, or refused in words; nothing they print makes us fall over."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.drivers import answers
from onecore.drivers.answers import Address, Listed, ListState, Poll, PollState
from onecore.errors import DriverFailed

MACHINE = {"name": "m", "deploy_id": "i-1", "state": "running"}


@pytest.mark.parametrize(
    ("stdout", "deploy_id"),
    [
        (b"i-1\n", "i-1"),
        (b"  7f3a b \n\n", "7f3a b"),
        ("i-\u00e9".encode(), "i-\u00e9"),
        (b"x" * 512, "x" * 512),
    ],
)
def test_deploy_id_is_what_was_printed_without_the_space_around(stdout: bytes, deploy_id: str) -> None:
    assert answers.parse_deploy_id(stdout) == deploy_id


@pytest.mark.parametrize(
    ("stdout", "why"),
    [
        (b"", "'' is empty"),
        (b" \n", "'' is empty"),
        (b"created\ni-1", "'created\\ni-1' has more than one line"),
        (b"-1", "'-1' begins with '-'"),
        (b"a\x1b[2J", "'a\\x1b[2J' holds characters that do not print"),
        (b"a\x00b", "do not print"),
        (b"x" * 513, "has more than 512 characters"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_what_cannot_be_a_deploy_id_is_refused_and_shown(stdout: bytes, why: str) -> None:
    with pytest.raises(DriverFailed) as failed:
        answers.parse_deploy_id(stdout)
    assert why in failed.value.message
    assert failed.value.message.isprintable()
    assert len(failed.value.message) < 250


@pytest.mark.parametrize(
    ("stdout", "poll"),
    [
        (
            'STATE=a CPU=12.5 MEMORY=524288 NETRX=1300 GUEST_IP_ADDRESSES="192.0.2.10,192.0.2.11"\n',
            Poll(
                PollState.ACTIVE,
                ("192.0.2.10", "192.0.2.11"),
                {"CPU": "12.5", "MEMORY": "524288", "NETRX": "1300"},
            ),
        ),
        ("STATE=p", Poll(PollState.OFF)),
        ("STATE=e", Poll(PollState.ERROR)),
        ("STATE=d", Poll(PollState.GONE)),
        ("STATE=-", Poll(PollState.UNKNOWN)),
        ('STATE="a"', Poll(PollState.ACTIVE)),
        ("state=A", Poll(PollState.ACTIVE)),
        ("CPU=3", Poll(PollState.UNKNOWN, (), {"CPU": "3"})),
        ("STATE=x", Poll(PollState.UNKNOWN)),
        ("", Poll(PollState.UNKNOWN)),
        ("STATE=a VMS=7,8", Poll(PollState.ACTIVE, (), {"VMS": "7,8"})),
        ('STATE=a AWS_PUBLIC_IP_ADDRESS=\\"192.0.2.7\\"', Poll(PollState.ACTIVE, ("192.0.2.7",))),
        (
            'STATE=a GUEST_IP_ADDRESSES="192.0.2.7,192.0.2.8',
            Poll(PollState.ACTIVE, ("192.0.2.7", "192.0.2.8")),
        ),
        ("GUEST_IP=192.0.2.9 STATE=a", Poll(PollState.ACTIVE, ("192.0.2.9",))),
        ("STATE=a\nGUEST_IP_ADDRESSES=2001:db8::1", Poll(PollState.ACTIVE, ("2001:db8::1",))),
        (
            'GUEST_IP="192.0.2.1" GUEST_IP_ADDRESSES="192.0.2.2, 192.0.2.1"',
            Poll(PollState.UNKNOWN, ("192.0.2.2", "192.0.2.1")),
        ),
        ("STATE=a GUEST_IP_ADDRESSES=0.0.0.0", Poll(PollState.ACTIVE)),
        (
            "STATE=a GUEST_IP_ADDRESSES=-oProxyCommand=x,$(id),192.0.2.1",
            Poll(PollState.ACTIVE, ("192.0.2.1",)),
        ),
        ("STATE=a ROOT_PASSWORD=hunter2 API_TOKEN=x", Poll(PollState.ACTIVE)),
        ("STATE=a NOTE=\x1b[31m", Poll(PollState.ACTIVE, (), {"NOTE": "\\x1b[31m"})),
    ],
)
def test_poll_is_understood_as_far_as_it_can_be(stdout: str, poll: Poll) -> None:
    assert answers.parse_poll(stdout.encode()) == poll


@settings(deadline=None)
@given(st.binary())
def test_poll_never_fails(stdout: bytes) -> None:
    assert answers.parse_poll(stdout).state in set(PollState)


def test_list_is_read_whole() -> None:
    listed = answers.parse_list(
        json.dumps(
            [
                {**MACHINE, "addresses": ["192.0.2.1"], "metrics": {"CPU": 12.5, "VMS": "7,8", "ON": True}},
                {"name": "n", "deploy_id": 42, "state": "off", "plan": "small"},
            ]
        ).encode()
    )
    assert listed == (
        Listed("m", "i-1", ListState.RUNNING, ("192.0.2.1",), {"CPU": "12.5", "VMS": "7,8", "ON": "true"}),
        Listed("n", "42", ListState.OFF),
    )
    assert answers.parse_list(b"[]") == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "dict instead of an array"),
        (None, "NoneType instead of an array"),
        (["m"], "'m' is not an object"),
        ([{"deploy_id": "i-1", "state": "off"}], "'name' is missing"),
        ([{**MACHINE, "name": ""}], "'name' is missing or no text"),
        ([{**MACHINE, "name": ["m"]}], "'name' is missing or no text"),
        ([{**MACHINE, "deploy_id": True}], "'deploy_id' is missing or no text"),
        ([{**MACHINE, "deploy_id": "-rf"}], "deploy id '-rf' begins with '-'"),
        (
            [{**MACHINE, "state": "rebooting"}],
            "state 'rebooting' is not one of: running, off, pending, error",
        ),
        ([{**MACHINE, "addresses": "192.0.2.1"}], "are not an array of strings"),
        ([{**MACHINE, "metrics": [1]}], "'[1]' is not an object"),
        ([MACHINE, {**MACHINE, "deploy_id": "i-2"}], "name 'm' occurs twice"),
        ([MACHINE, {**MACHINE, "name": "n"}], "deploy id 'i-1' occurs twice"),
    ],
)
def test_a_list_that_could_mislead_is_refused(data: object, why: str) -> None:
    with pytest.raises(DriverFailed) as failed:
        answers.parse_list(json.dumps(data).encode())
    assert failed.value.message.startswith("list gave an answer that cannot be used: ")
    assert why in failed.value.message


@pytest.mark.parametrize(
    "stdout", [b"", b"oops", b"\xff", b"[" * 200_000, b"[1" + b"0" * 5000 + b"]", b"[] []"]
)
def test_what_is_no_json_is_refused(stdout: bytes) -> None:
    with pytest.raises(DriverFailed):
        answers.parse_list(stdout)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*MACHINE, "addresses", "metrics", "id", "ip"]), inner, max_size=5)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_json_answers_are_read_or_refused_and_nothing_else(stdout: bytes) -> None:
    for parse in (
        answers.parse_list,
        answers.parse_allocated,
        answers.parse_addresses,
        lambda out: answers.parse_offers(out, "plans"),
    ):
        try:
            parse(stdout)
        except DriverFailed as exc:
            assert exc.message.isprintable()


def test_addresses_are_read() -> None:
    assert answers.parse_allocated(b'{"id": 5, "ip": "198.51.100.1"}') == Address("5", "198.51.100.1")
    whole = {"id": "a", "ip": "2001:db8::1", "tag": "t", "deploy_id": "i-1"}
    listed = [whole, {"id": "b", "ip": "192.0.2.1", "tag": None}]
    assert answers.parse_addresses(json.dumps(listed).encode()) == (
        Address("a", "2001:db8::1", "t", "i-1"),
        Address("b", "192.0.2.1"),
    )


@pytest.mark.parametrize(
    "item", [{}, {"id": "a"}, {"id": "a", "ip": "soon"}, {"id": "-a", "ip": "192.0.2.1"}, []]
)
def test_an_address_that_cannot_be_used_is_refused(item: object) -> None:
    with pytest.raises(DriverFailed):
        answers.parse_allocated(json.dumps(item).encode())


def test_two_addresses_with_one_id_are_refused() -> None:
    with pytest.raises(DriverFailed, match="id 'a' occurs twice"):
        answers.parse_addresses(b'[{"id": "a", "ip": "192.0.2.1"}, {"id": "a", "ip": "192.0.2.2"}]')


def test_offers_keep_what_else_they_say() -> None:
    offers = answers.parse_offers(b'[{"id": 387, "name": "Ubuntu", "min_disk": 10}]', "images")
    assert offers == ({"id": "387", "name": "Ubuntu", "min_disk": 10},)
    with pytest.raises(DriverFailed, match="images gave an answer that cannot be used"):
        answers.parse_offers(b'[{"id": 387}]', "images")
