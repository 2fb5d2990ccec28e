"""Groups whose commands all know which server to ask: -s, -u and -p after the command, as in OneFlow."""

from onecore.cli.client import ClientGroup


class FlowGroup(ClientGroup):
    service = "ONEFLOW"
    local = frozenset({"serve", "import"})
