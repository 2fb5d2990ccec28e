"""Permission bits, who they let in, names and passwords."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.access import (
    Mode,
    Permissions,
    Principal,
    Resource,
    Right,
    allows,
    check,
    hash_password,
    needed_to_change,
    valid_name,
    verify_password,
)
from onecore.errors import InvalidInput, NotAuthorized
from onecore.ids import GroupId, UserId

ALICE, BOB = UserId(5), UserId(6)
WEB, STAFF = GroupId(100), GroupId(101)


def a_principal(user_id=BOB, name="bob", group_id=STAFF, group_ids=()):
    return Principal(UserId(user_id), name, GroupId(group_id), frozenset(map(GroupId, group_ids)))


def granted(principal, octal, right):
    return allows(principal, ALICE, WEB, Permissions.from_octal(octal), right)


@pytest.mark.parametrize(
    ("octal", "text"),
    [
        ("600", "um- --- ---"),
        ("640", "um- u-- ---"),
        ("777", "uma uma uma"),
        ("000", "--- --- ---"),
        ("421", "u-- -m- --a"),
    ],
)
def test_octal_reads_as_opennebula_prints_it(octal, text):
    assert Permissions.from_octal(octal).text() == text


def test_document_spells_every_bit():
    assert Permissions.from_octal("640").to_document() == {
        "OWNER_U": "1",
        "OWNER_M": "1",
        "OWNER_A": "0",
        "GROUP_U": "1",
        "GROUP_M": "0",
        "GROUP_A": "0",
        "OTHER_U": "0",
        "OTHER_M": "0",
        "OTHER_A": "0",
    }


@given(st.integers(0, 0o777))
@settings(deadline=None)
def test_an_octet_is_read_as_the_number_it_is(bits):
    assert Permissions.from_octal(f"{bits:03o}") == Permissions(bits)


@pytest.mark.parametrize("text", ["", "64", "6400", "648", "rwx", "-40", "6 0", "٦٤٠"])
def test_bad_octet_is_refused(text):
    with pytest.raises(InvalidInput, match="not an octet"):
        Permissions.from_octal(text)


@pytest.mark.parametrize(
    ("before", "mode", "after"),
    [
        ("600", "640", "640"),
        ("600", "g+u", "640"),
        ("600", "u+a", "700"),
        ("777", "go-a", "766"),
        ("777", "go-ma", "744"),
        ("640", "g=", "600"),
        ("640", "o=g", None),
        ("640", "u=rw,g=r", "640"),
        ("000", "u=rwx", "700"),
        ("600", "+u", "644"),
        ("600", "a+u", "644"),
        ("600", "ugo=um", "666"),
        ("666", "g-m,o-um", "640"),
        ("600", "g+u-m+a", "650"),
        ("600", "g+u, o+u", "644"),
        ("640", "u+m", "640"),
        ("600", "x+u", None),
        ("600", "u+z", None),
        ("600", "um", None),
        ("600", "g+u,", None),
        ("600", "999", None),
        ("600", "", None),
        ("600", "-1", None),
        ("600", "0o640", None),
    ],
)
def test_a_mode_is_an_octet_or_what_changes(before, mode, after):
    permissions = Permissions.from_octal(before)
    if after is not None:
        assert permissions.changed(Mode.parse(mode)) == Permissions.from_octal(after)
        return
    with pytest.raises(InvalidInput, match="not an octet") as refused:
        Mode.parse(mode)
    assert "u+m,go-a" in refused.value.hint


@given(st.integers(0, 0o777), st.sampled_from("ugoa"), st.text("uma", max_size=3))
@settings(deadline=None)
def test_what_is_added_and_taken_again_leaves_none_of_it(bits, who, what):
    added = Permissions(bits).changed(Mode.parse(f"{who}+{what}"))
    taken = added.changed(Mode.parse(f"{who}-{what}"))
    assert added.bits & bits == bits
    assert taken.bits & bits == taken.bits
    assert added.changed(Mode.parse(f"{who}+{what}")) == added


@pytest.mark.parametrize(
    ("before", "after", "right"),
    [("600", "640", Right.MANAGE), ("600", "610", Right.ADMIN), ("700", "600", Right.ADMIN)],
)
def test_only_who_may_administer_changes_who_may(before, after, right):
    assert needed_to_change(Permissions.from_octal(before), Permissions.from_octal(after)) is right


@pytest.mark.parametrize(
    ("who", "octal", "right", "expected"),
    [
        (a_principal(user_id=0, name="oneadmin"), "000", Right.ADMIN, True),
        (a_principal(group_ids={0}), "000", Right.MANAGE, True),
        (a_principal(group_id=0), "000", Right.MANAGE, True),
        (a_principal(user_id=ALICE), "600", Right.MANAGE, True),
        (a_principal(user_id=ALICE), "600", Right.ADMIN, False),
        (a_principal(group_id=WEB), "640", Right.USE, True),
        (a_principal(group_ids={WEB}), "640", Right.USE, True),
        (a_principal(group_ids={WEB}), "640", Right.MANAGE, False),
        (a_principal(), "640", Right.USE, False),
        (a_principal(), "604", Right.USE, True),
        (a_principal(user_id=ALICE), "004", Right.USE, True),  # a union: the owner is one of the others, too
        (a_principal(user_id=ALICE, group_id=WEB), "020", Right.MANAGE, True),
    ],
)
def test_any_matching_share_grants(who, octal, right, expected):
    assert granted(who, octal, right) is expected


@given(st.integers(0, 0o777), st.integers(0, 0o777), st.sampled_from(Right), st.sampled_from([ALICE, BOB]))
@settings(deadline=None)
def test_more_bits_never_take_a_right_away(bits, more, right, user_id):
    who = a_principal(user_id=user_id, group_ids={WEB})
    before = allows(who, ALICE, WEB, Permissions(bits), right)
    after = allows(who, ALICE, WEB, Permissions(bits | more), right)
    assert after or not before


def test_refusal_says_who_what_and_why():
    resource = Resource("provision", 3, "web", ALICE, "alice", WEB, Permissions(0o600))
    with pytest.raises(NotAuthorized) as refused:
        check(a_principal(), resource, Right.MANAGE)
    assert refused.value.message == (
        "user 'bob' may not manage provision 3 ('web'): owner alice, permissions um-------"
    )
    assert "alice" in refused.value.hint
    assert refused.value.exit_code == 4


def test_owner_passes_the_check():
    resource = Resource("provision", 3, "web", BOB, "bob", WEB, Permissions(0o600))
    check(a_principal(), resource, Right.MANAGE)


@pytest.mark.parametrize("name", ["oneadmin", "web-team", "j.doe@example.org", "élise", "x" * 64, "7up"])
def test_plain_names_are_taken(name):
    assert valid_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "a:b", "a b", "a\tb", "a\u00a0b", "a\x1b[2J", "a\u202eb", "42", "-rf"]
)
def test_names_that_would_confuse_are_refused(name):
    with pytest.raises(InvalidInput, match="group name"):
        valid_name(name, "group")


def test_password_is_recognised_and_another_is_not():
    stored = hash_password("correct horse", b"0123456789abcdef")
    assert verify_password(stored, "correct horse")
    assert not verify_password(stored, "correct horsf")
    assert "correct" not in stored


def test_salt_makes_equal_passwords_differ():
    assert hash_password("same", b"a" * 16) != hash_password("same", b"b" * 16)


@pytest.mark.parametrize(
    "stored", ["", "plain", "scrypt$x$8$1$00$00", "scrypt$3$8$1$00$00", "md5$16384$8$1$00$00"]
)
def test_damaged_hash_fits_nobody(stored):
    assert not verify_password(stored, "anything")


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_empty_and_endless_passwords_are_refused(password):
    with pytest.raises(InvalidInput, match="1 to 1024 bytes"):
        hash_password(password, b"a" * 16)
