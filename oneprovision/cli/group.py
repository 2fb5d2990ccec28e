"""Groups whose commands can ask a server; those of this machine alone are named."""

from onecore.cli.client import ClientGroup


class FormGroup(ClientGroup):
    service = "ONEFORM"
    local = frozenset({"validate", "orphans", "import", "serve", "locations", "plans", "images", "prices"})
