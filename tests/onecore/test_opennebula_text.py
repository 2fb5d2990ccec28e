"""Templates that are sent to an OpenNebula: what arrives is what was meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from onecore.opennebula.text import rendered
from tests.nebula.template import parsed

WORD = st.text(st.characters(categories=("L", "N", "P", "S", "Z"), include_characters="\n\t")).filter(
    lambda text: "\r" not in text
)
KEY = st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True)
VECTOR = st.dictionaries(KEY, WORD, min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(KEY, WORD | VECTOR | st.lists(WORD, min_size=2, max_size=3), max_size=4))
def test_every_text_arrives_as_it_is(template):
    assert parsed(rendered(template)) == template


@pytest.mark.parametrize("text", ["C:\\", 'a"b', '\\"', "]]>", "<b>&amp;", 'x"]\nSIM="1', "$KEY", ""])
def test_no_text_is_taken_for_more_than_a_value(text):
    assert parsed(rendered({"CONTEXT": {"A": text}, "B": text})) == {"CONTEXT": {"A": text}, "B": text}


def test_an_empty_value_is_one_and_an_element_without_anything_is_none():
    assert rendered({"A": ""}) == "<TEMPLATE><A><![CDATA[]]></A></TEMPLATE>"
    assert parsed("<TEMPLATE><A></A><B/></TEMPLATE>") == {}


@pytest.mark.parametrize("template", [{"A B": "c"}, {"1A": "c"}, {"A": "\x00"}, {"A": {"<": "c"}}])
def test_what_cannot_be_written_is_refused(template):
    with pytest.raises(InvalidInput):
        rendered(template)


def test_truth_is_yes_or_no_and_numbers_are_their_digits():
    assert parsed(rendered({"A": True, "B": False, "C": 5})) == {"A": "YES", "B": "NO", "C": "5"}
