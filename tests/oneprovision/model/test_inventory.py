"""The inventory of a driver folder's template, and which of its hosts are ours."""

import pytest

from onecore.errors import InvalidInput
from oneprovision.model.inventory import Node, described

RENDERED = {
    "all": {"vars": {"ansible_user": "root"}},
    "frontend": {"hosts": {"f1": {"ansible_host": "localhost"}}},
    "node": {"hosts": {"n1": {"ansible_host": "192.0.2.1"}, "192.0.2.2": None}},
    "grafana": {"children": ["frontend", "node"]},
}


def test_a_host_is_found_by_its_address_whatever_it_is_called():
    found = described(RENDERED, [Node(7, "192.0.2.1"), Node(8, "192.0.2.2")])
    assert found.names == {7: "n1", 8: "192.0.2.2"}


def test_children_may_be_a_list_of_names():
    inventory = described(RENDERED, []).inventory
    assert inventory["grafana"] == {"children": {"frontend": None, "node": None}}
    assert inventory["node"] == RENDERED["node"]


def test_a_host_that_nothing_would_configure_is_said():
    with pytest.raises(InvalidInput, match=r"names no host at 192\.0\.2\.9") as refused:
        described(RENDERED, [Node(7, "192.0.2.1"), Node(9, "192.0.2.9")])
    assert "one.nodes" in refused.value.hint
