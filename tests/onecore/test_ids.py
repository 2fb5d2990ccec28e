"""The names that make a deploy idempotent."""

import os

from hypothesis import given
from hypothesis import strategies as st

from onecore.ids import MACHINE_NAME, machine_name


@given(st.binary(min_size=24, max_size=24))
def test_a_machine_name_is_provision_and_48_hex_digits(chance):
    assert MACHINE_NAME.fullmatch(machine_name(lambda count: chance[:count]))


def test_all_of_the_chance_is_in_the_name():
    assert machine_name(lambda count: bytes(range(count))) == "provision-" + bytes(range(24)).hex()


def test_no_two_names_are_alike():
    assert len({machine_name(os.urandom) for _ in range(1000)}) == 1000


def test_more_than_the_name_is_no_name():
    assert not MACHINE_NAME.fullmatch(f"provision-{'0' * 49}")
    assert not MACHINE_NAME.fullmatch(f"provision-{'A' * 48}")
