"""Id lists: what may be written, and what it stands for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.cli.idlist import parse, resolve
from onecore.errors import InvalidInput, NotFound

KNOWN = [(3, "web"), (7, "web"), (8, "staging"), (9, "data..base")]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1", (1,)),
        ("1,8..11,web", (1, 8, 9, 10, 11, "web")),
        ("5..5", (5,)),
        ("2,1..3,2", (2, 1, 3)),
        (" 1 , web ", (1, "web")),
        ("007", (7,)),
        ("data..base", ("data..base",)),
        ("1a", ("1a",)),
        ("-1", ("-1",)),
        ("٣", ("٣",)),
    ],
)
def test_list_is_ids_and_names_each_once(text, parts):
    assert parse(text) == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty place"),
        ("1,,2", "empty place"),
        ("1,", "empty place"),
        ("9..3", "runs backwards"),
        ("5..", "needs both ends"),
        ("..5", "needs both ends"),
        ("..", "needs both ends"),
        ("0..10000", "more than 10000 ids"),
        ("1..999999999999999999", "more than 10000 ids"),
        ("0..9999,20000", "more than 10000 ids"),
        ("9" * 5000, "too large"),
        ("1.." + "9" * 5000, "too large"),
    ],
)
def test_list_that_cannot_be_meant_is_refused(text, message):
    with pytest.raises(InvalidInput, match=message) as refused:
        parse(text)
    assert refused.value.exit_code == 2
    assert len(refused.value.message) < 200


def test_longest_range_is_allowed():
    assert len(parse("0..9999")) == 10_000


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50, unique=True))
@settings(deadline=None)
def test_list_of_ids_reads_back_as_it_was_written(ids):
    assert parse(",".join(map(str, ids))) == tuple(ids)


@given(st.text(max_size=30))
@settings(deadline=None)
def test_any_text_is_parsed_or_refused(text):
    try:
        assert parse(text)
    except InvalidInput:
        pass


def test_digits_are_ids_and_other_words_are_names():
    assert resolve("8,42,data..base,staging", KNOWN) == (8, 42, 9)


def test_known_objects_are_not_read_for_ids_alone():
    assert resolve("1..3", (pytest.fail("read") for _ in range(1))) == (1, 2, 3)


def test_unknown_name_is_not_found_and_close_ones_are_named():
    with pytest.raises(NotFound, match=r"^provision 'stagign' not found$") as refused:
        resolve("stagign", KNOWN)
    assert refused.value.hint == "did you mean 'staging'?"
    assert refused.value.exit_code == 3


def test_name_is_matched_exactly():
    with pytest.raises(NotFound, match="provider 'Staging' not found"):
        resolve("Staging", KNOWN, kind="provider")


def test_two_of_one_name_need_the_id():
    with pytest.raises(
        InvalidInput, match=r"^there are 2 provisions named 'web' \(ids 3 and 7\); use the id$"
    ):
        resolve("web", KNOWN)


def test_three_of_one_name_are_listed():
    with pytest.raises(InvalidInput, match=r"ids 1, 2 and 5\)"):
        resolve("x", [(5, "x"), (1, "x"), (2, "x")])
