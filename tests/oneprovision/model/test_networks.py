"""Networks of a template, and what is said of their leased addresses."""

from oneprovision.model.networks import leased_attributes, network


def test_what_entries_of_leased_ranges_say_besides_holds_for_all_of_their_addresses():
    entries = [
        {"ipam_mad": "dummy", "size": 2, "gateway": "203.0.113.1"},
        {"ipam_mad": "dummy", "MAC": "x", "dns": "1.1.1.1"},
        {"type": "ip4", "ip": "10.0.0.1", "gateway": "no"},
    ]
    spec = network({"name": "public", "ar": entries}, ("networks", 0))
    assert leased_attributes(spec) == {"gateway": "203.0.113.1", "dns": "1.1.1.1"}
