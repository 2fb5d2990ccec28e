"""What templates ask their users for, and which answers can be."""

import pytest

from onecore.errors import InvalidInput
from oneflow.model import inputs
from oneflow.model.inputs import Input, parsed


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("M|text|the name", Input("X", True, "text", "the name")),
        ("O|number|how many||3", Input("X", False, "number", "how many", (), "3")),
        ("M|range|how many|1..9|3", Input("X", True, "range", "how many", ("1", "9"), "3")),
        ("O|list|size|small,large|small", Input("X", False, "list", "size", ("small", "large"), "small")),
        ("M|password|the key", Input("X", True, "password", "the key")),
        ("M|fixed|||a|b", Input("X", True, "fixed", "", (), "a|b")),
        ("the port to listen at", Input("X", True, "text", "the port to listen at")),
        ("either|or", Input("X", True, "text", "either|or")),
        ("", Input("X")),
        (None, Input("X")),
        (7, Input("X", about="7")),
    ],
)
def test_five_fields_between_bars_or_a_description(definition, expected):
    assert parsed("X", definition) == expected


@pytest.mark.parametrize(
    ("definition", "value", "problem"),
    [
        ("M|text|", "", "needs a value"),
        ("O|number|", "", ""),
        ("M|number|", "80", ""),
        ("M|number|", 80, ""),
        ("M|number|", "-1", ""),
        ("M|number|", "8.5", "is a whole number, not '8.5'"),
        ("M|number|", "٣", "is a whole number, not '٣'"),
        ("M|number-float|", "8.5", ""),
        ("M|number-float|", "inf", "is a number, not 'inf'"),
        ("M|number-float|", "x", "is a number, not 'x'"),
        ("M|range||1..9", "9", ""),
        ("M|range||1..9", "10", "is from 1 to 9, not 10"),
        ("M|range-float||0.5..1.5", "1.6", "is from 0.5 to 1.5, not 1.6"),
        ("M|range||", "10", ""),
        ("M|range||a..b", "10", ""),
        ("M|boolean|", "yes", ""),
        ("M|boolean|", False, ""),
        ("M|boolean|", "maybe", "is one of YES, NO, not 'MAYBE'"),
        ("M|list||a,b", "b", ""),
        ("M|list||a,b", "c", "is one of a, b, not 'c'"),
        ("M|list||", "c", ""),
        ("M|list-multiple||a,b,c", "c,a", ""),
        ("M|list-multiple||a,b,c", "c,d", "is one of a, b, c, not 'd'"),
        ("M|fixed|||7", "7", ""),
        ("M|fixed|||7", "8", "is always '7'"),
        ("M|vnet_id|", "12", ""),
        ("M|network|", "id:3", ""),
        ("M|network|", "reserve_from:3:SIZE=4", ""),
        ("M|network|", "3", "is a network such as id:3, template_id:3 or reserve_from:3, not '3'"),
        ("M|network|", "id:x", "is a network such as id:3, template_id:3 or reserve_from:3, not 'id:x'"),
    ],
)
def test_an_answer_fits_the_kind_that_is_asked_for(definition, value, problem):
    assert parsed("X", definition).problem(value) == problem


def test_defaults_are_put_in_and_what_is_optional_stays_empty():
    template = {
        "custom_attrs": {"PORT": "M|number|||80", "NOTE": "O|text|", "NAME": "M|text|"},
        "custom_attrs_values": {"NAME": "shop", "FURTHER": "kept"},
        "roles": [{"name": "web", "custom_attrs": {"SIZE": "O|list||s,l|s"}}, {"name": "db"}],
    }
    done = inputs.with_values(template)
    assert done["custom_attrs_values"] == {"NAME": "shop", "FURTHER": "kept", "PORT": "80", "NOTE": ""}
    assert done["roles"] == [
        {"name": "web", "custom_attrs": {"SIZE": "O|list||s,l|s"}, "custom_attrs_values": {"SIZE": "s"}},
        {"name": "db"},
    ]


def test_everything_that_is_missing_is_named_at_once():
    template = {
        "custom_attrs": {"PORT": "M|number|", "NAME": "M|text|"},
        "roles": [{"name": "web", "custom_attrs": {"SIZE": "M|list||s,l"}}],
    }
    with pytest.raises(InvalidInput) as refused:
        inputs.with_values(template)
    assert refused.value.message.endswith("service lacks NAME, PORT; role 'web' lacks SIZE")


def test_an_answer_that_cannot_be_is_refused_with_whose_it_is():
    role = {"name": "web", "custom_attrs": {"SIZE": "M|range||1..3"}, "custom_attrs_values": {"SIZE": "4"}}
    with pytest.raises(InvalidInput, match="User Input SIZE of role 'web' is from 1 to 3, not 4"):
        inputs.with_values({"roles": [role]})
