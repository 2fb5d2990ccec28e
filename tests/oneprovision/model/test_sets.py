import pytest

from onecore.errors import InvalidInput
from oneprovision.model.sets import apply_sets

TEMPLATE = {
    "name": "web",
    "hosts": [{"provision": {"count": 1}}, {}],
    "inputs": [{"name": "size", "default": 1}, {"name": "zone"}],
}


def set_in(*sets):
    return apply_sets(TEMPLATE, sets)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ("0.2", 0.2),
        ("true", True),
        ("null", None),
        ("", ""),
        ("a=b", "a=b"),
        ("deploy:1", "deploy:1"),
        ("010", "010"),
        ("1.10", "1.10"),
        ("a: b", "a: b"),
        ("*x", "*x"),
        ("[1, b]", [1, "b"]),
        ("'5'", "5"),
    ],
)
def test_a_value_is_read_as_a_yaml_scalar(written, value):
    assert set_in(f"name={written}")["name"] == value


def test_a_path_may_go_into_lists_and_make_new_mappings():
    result = set_in("hosts.1.provision.count=3", "defaults.provision.plan=small")
    assert result["hosts"] == [{"provision": {"count": 1}}, {"provision": {"count": 3}}]
    assert result["defaults"] == {"provision": {"plan": "small"}}


def test_the_last_one_wins():
    assert (
        set_in("hosts.0.provision.count=2", "hosts.0.provision.count=3")["hosts"][0]["provision"]["count"]
        == 3
    )


@pytest.mark.parametrize("word", ["input", "inputs"])
def test_an_input_is_answered_by_its_name(word):
    inputs = set_in(f"{word}.size=4")["inputs"]
    assert inputs == [{"name": "size", "default": 1, "value": 4}, {"name": "zone"}]


def test_a_declaration_is_reached_by_its_number():
    assert set_in("inputs.0.default=9")["inputs"][0] == {"name": "size", "default": 9}


def test_the_template_itself_is_not_changed():
    set_in("hosts.0.provision.count=9", "input.size=9")
    assert TEMPLATE["hosts"] == [{"provision": {"count": 1}}, {}]
    assert TEMPLATE["inputs"][0] == {"name": "size", "default": 1}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("name", "--set 'name' is not path=value", "hosts.0.provision.count=5"),
        ("=x", "is not path=value", ""),
        ("hosts..count=1", "is not path=value", ""),
        ("hosts.2.x=1", "--set hosts.2.x: there is no entry '2'", "the list has 2, numbered from 0"),
        ("hosts.first.x=1", "there is no entry 'first'", ""),
        ("networks.0.name=x", "--set networks.0.name: nothing is there", ""),
        ("name.first=x", "--set name.first: a single value is there", ""),
        ("host.0.x=1", "there is no 'host' in a template", "did you mean 'hosts'?"),
        ("extends=x.yaml", "there is no 'extends' in a template", ""),
        ("input.sice=1", "--set input.sice: there is no such input", "did you mean 'size'?"),
        ("name=[1", "--set name:", ""),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_by_name(text, message, hint):
    with pytest.raises(InvalidInput) as caught:
        set_in(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
