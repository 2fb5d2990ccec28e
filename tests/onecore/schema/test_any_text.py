"""What holds for every text: it loads or is refused, and what was written is read back."""

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from onecore.schema import load_text

SNIPPETS = ["a: ", "- ", "\n", "\n  ", "[", "]", "{", "}", ",", "&a ", "*a", "<<: ", "!!int ", "!!bool ", "'"]
SNIPPETS += ["---\n", "...\n", "yes", "1", ".5", "1:30", "0x", "? ", ": ", "|", ">", "#", "%", "@", "\t"]
SNIPPETS += ["\\u", '"']

NUMBERS = st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(), st.text(), st.lists(st.sampled_from(SNIPPETS)).map("".join)))
def test_whatever_the_text_it_loads_or_is_invalid_input(text):
    for name in ("x.yaml", "x.json"):
        try:
            document = load_text(text, name)
        except InvalidInput as exc:
            assert exc.message.startswith(name)
        else:
            assert document.line(()) is not None


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 1]))
def test_json_that_was_written_is_read_back(data, indent):
    assert load_text(json.dumps(data, indent=indent), "x.json").data == data
    assert load_text(json.dumps(data, indent=indent), "request").data == data


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON))
def test_yaml_that_was_written_is_read_back(data):
    assert load_text("---\n" + yaml.safe_dump(data, allow_unicode=False), "x.yaml").data == data
