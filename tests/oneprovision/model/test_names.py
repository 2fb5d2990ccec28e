import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneprovision.model.names import (
    check_driver,
    check_hostname,
    check_parameter,
    check_provision_name,
    default_hostname,
)

PLACE = ("hosts", 0)


@pytest.mark.parametrize("name", ["a", "my cluster", "Straße 7", "3x", "x" * 128])
def test_a_provision_may_have_such_a_name(name):
    assert check_provision_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "has to be 1 to 128"),
        ("  ", "has to be 1 to 128"),
        ("x" * 129, "has to be 1 to 128"),
        ("a\nb", "has control characters"),
        ("a\u202eb", "has control characters"),
        ("a/b", "has a '/'"),
        ("17", "is a number"),
        ("٣", "is a number"),
        ("-x", "begins with '-'"),
    ],
)
def test_a_provision_name_that_could_mislead_is_refused(name, why):
    with pytest.raises(InvalidInput, match=why):
        check_provision_name(name)


@pytest.mark.parametrize("name", ["-rf", "a b", "a/b", "", "a;b", "ä", "x" * 254, "..", "a\n"])
def test_such_a_host_name_is_refused(name):
    with pytest.raises(InvalidInput, match="is not a host name"):
        check_hostname(name, PLACE)


@pytest.mark.parametrize("name", ["../dummy", "Dummy", "", ".x", "a/b", "a" * 64, "a\n"])
def test_such_a_driver_name_is_refused(name):
    with pytest.raises(InvalidInput, match="is not a driver name"):
        check_driver(name, PLACE)


@pytest.mark.parametrize("name", ["a b", "1a", "", "a>", "-a"])
def test_such_a_parameter_name_is_refused(name):
    with pytest.raises(InvalidInput, match="cannot be the name of a parameter"):
        check_parameter(name, PLACE)


@pytest.mark.parametrize(
    ("provision", "name"),
    [("web", "web-3"), ("my cluster", "my-cluster-3"), ("東京", "host-3"), (".a", "a-3")],
)
def test_a_host_is_named_after_its_provision_and_number(provision, name):
    assert default_hostname(provision, 3) == name


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(0, 9999))
def test_the_default_host_name_is_always_a_host_name(provision, index):
    name = default_hostname(provision, index)
    assert check_hostname(name, PLACE) == name
