import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneprovision.model.interpolate import escape, interpolate, problems
from tests.oneprovision.model.builders import a_scope

CLUSTER = {"id": 100, "name": "east.one", "reserved_cpu": "10%"}
SCOPE = a_scope(
    inputs={"n": 3, "zones": ["a", "b"], "on": True, "nothing": None, "trick": "${provision}<%= @id %>"},
    objects={"cluster": (CLUSTER,), "network": ({"id": 5, "name": "lan"}, {"id": 6, "name": "0"})},
    index=2,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${provision}-${index}", "web-2"),
        ("${ provision_id }", "7"),
        ("a${input.n}b", "a3b"),
        ("zones ${input.zones} ${input.on}", "zones a,b true"),
        ("${cluster.0.id}", "100"),
        ("${cluster.east.one.RESERVED_CPU}", "10%"),
        ("${network.lan.id}", "5"),
        ("${network.0.id}", "5"),
        ("$${provision} $${", "${provision} ${"),
        ("$$${provision}", "$${provision}"),
        ("<%= @name %>/<%=@id%>/<%= @index -%>", "web/7/2"),
        ("<%= @clusters[0]['ID'] %>", "100"),
        ("<%= @vnets[1][\"name\"] %> <%= @networks[0]['Id'] %>", "0 5"),
        ("<%% is literal", "<% is literal"),
        ("cost: $5 } 100%>", "cost: $5 } 100%>"),
    ],
)
def test_a_marker_becomes_its_value(text, value):
    assert interpolate(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "value"), [("${input.n}", 3), ("${input.zones}", ["a", "b"]), ("${input.nothing}", None)]
)
def test_a_string_that_is_one_input_keeps_its_type(text, value):
    assert interpolate(text, SCOPE) == value


def test_lists_and_mappings_are_followed_and_keys_are_left_alone():
    assert interpolate({"${x}": ["${index}", {"a": "${provision}"}, 4]}, SCOPE) == {
        "${x}": ["2", {"a": "web"}, 4]
    }


def test_text_that_was_put_in_is_not_evaluated_again():
    assert interpolate("is ${input.trick}", SCOPE) == "is ${provision}<%= @id %>"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("${provison}", "cluster.a: '${provison}' is not a variable", "did you mean 'provision'?"),
        ("${HOME}/x", "cluster.a: '${HOME}' is not a variable", "write $${ for a literal ${"),
        ("${input}", "cluster.a: '${input}' is not a variable", ""),
        ("${a", "cluster.a: '${' is not closed by '}'", ""),
        ("${a${b}}", "cluster.a: '${' is not closed by '}'", ""),
        ("${input.m}", "cluster.a: there is no input 'm'", "known: n, zones, on"),
        ("${cluster.1.id}", "cluster.a: there is no cluster '1'", "known: 0 (east.one)"),
        ("${datastore.0.id}", "cluster.a: there is no datastore '0'", "no datastore at all"),
        ("${network.lan.ids}", "cluster.a: network 'lan' has no attribute 'ids'", "did you mean 'id'?"),
        ("<%= `id` %>", "cluster.a: '<%= `id` %>' is Ruby code, which is never run", "<%= @name %>"),
        ("<% system('x') %>", "cluster.a: '<% system('x') %>' is Ruby code, which is never run", ""),
        ("<%= @name.upcase %>", "cluster.a: '<%= @name.upcase %>' is Ruby code, which is never run", ""),
        ("<%= @clusters[0]['ID\"] %>", "is Ruby code, which is never run", ""),
        ("<%= @name", "cluster.a: '<%' is not closed by '%>'", ""),
    ],
)
def test_an_unknown_marker_is_refused_with_its_path(text, message, hint):
    with pytest.raises(InvalidInput) as caught:
        interpolate(text, SCOPE, ("cluster", "a"))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_the_index_is_known_to_hosts_only():
    with pytest.raises(InvalidInput, match="has no value here"):
        interpolate("${index}", a_scope())


def test_problems_are_found_without_any_values():
    data = {"a": ["${input.later} ok", "<% no %>"], "b": "${nope}"}
    assert [path for path, _, _ in problems(data, ("hosts", 0))] == [("hosts", 0, "a", 1), ("hosts", 0, "b")]


@settings(deadline=None)
@given(st.text().filter(lambda text: "${" not in text and "<%" not in text))
def test_a_string_without_markers_is_left_unchanged(text):
    assert interpolate(text, SCOPE) == text


@settings(deadline=None)
@given(
    st.recursive(
        st.text(alphabet="${}<%>=@ain."), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_escaped_data_evaluates_to_itself(data):
    assert interpolate(escape(data), SCOPE) == data


@settings(deadline=None)
@given(st.text(alphabet="${}<%>=@name.0[]' "))
def test_any_text_is_either_evaluated_or_refused(text):
    try:
        interpolate(text, SCOPE)
    except InvalidInput:
        assert "${" in text or "<%" in text
