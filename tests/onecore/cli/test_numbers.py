import click
import pytest

from onecore.cli.numbers import FiniteRange


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "inf", "-inf", "-1", "11", "x", ""])
def test_what_is_no_number_of_the_range_is_refused(text: str):
    with pytest.raises(click.BadParameter):
        FiniteRange(0, 10).convert(text, None, None)


def test_a_number_of_the_range_is_taken():
    assert FiniteRange(0, 10).convert("1.5", None, None) == 1.5
