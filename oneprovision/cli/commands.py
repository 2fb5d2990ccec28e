"""The tree of commands. Each is imported when it is run."""

from typing import TYPE_CHECKING

import click

from onecore.cli.client import server_options
from oneprovision.cli.group import FormGroup

if TYPE_CHECKING:
    from oneprovision.cli.session import FormSession

_HERE = "oneprovision.cli"

_TABLE = {
    "create": (f"{_HERE}.create", "create", "Create a provision from a template."),
    "validate": (f"{_HERE}.validating", "validate", "Check a template or a driver; make nothing."),
    "list": (f"{_HERE}.listing", "list_", "List provisions."),
    "show": (f"{_HERE}.showing", "show", "Show one provision."),
    "top": (f"{_HERE}.listing", "top", "List provisions again and again."),
    "logs": (f"{_HERE}.showing", "logs", "Show what happened to a provision, and why."),
    "rename": (f"{_HERE}.editing", "rename", "Give a provision another name."),
    "update": (f"{_HERE}.editing", "update", "Change name, description or tags."),
    "chown": (f"{_HERE}.editing", "chown", "Give provisions to another user."),
    "chgrp": (f"{_HERE}.editing", "chgrp", "Give provisions to another group."),
    "chmod": (f"{_HERE}.editing", "chmod", "Change who may use and manage provisions."),
    "add-host": (f"{_HERE}.scaling", "add_host", "Add hosts to a provision."),
    "del-host": (f"{_HERE}.scaling", "del_host", "Remove hosts from a provision."),
    "add-ip": (f"{_HERE}.scaling", "add_ip", "Lease public addresses."),
    "remove-ip": (f"{_HERE}.scaling", "remove_ip", "Give a public address back."),
    "retry": (f"{_HERE}.ending", "retry", "Carry on with what failed or was cut short."),
    "configure": (f"{_HERE}.ending", "configure", "Make the hosts ready again."),
    "cancel": (f"{_HERE}.ending", "cancel", "Stop what is being done."),
    "deprovision": (f"{_HERE}.ending", "deprovision", "Remove everything of a provision."),
    "delete": (f"{_HERE}.ending", "delete", "Forget a provision that is DONE."),
    "orphans": (f"{_HERE}.orphans", "orphans", "Compare the providers with what is recorded, both ways."),
    "import": (f"{_HERE}.importing", "import_", "Take over what OneForm's own server made."),
    "host": (f"{_HERE}.host", "host", "Look at hosts, and act on them."),
    "cluster": (f"{_HERE}.objects", "cluster", "List clusters."),
    "datastore": (f"{_HERE}.objects", "datastore", "List datastores."),
    "network": (f"{_HERE}.objects", "network", "List networks and their addresses."),
    "instance": (f"{_HERE}.instance", "instance", "Single machines, without a template."),
    "serve": (f"{_HERE}.serve", "serve", "Answer OneForm's REST API."),
    "driver": (f"{_HERE}.driver", "driver", "Find and test drivers."),
    "oneform": (f"{_HERE}.oneform", "oneform", "Drivers that are OneForm folders."),
    "provider": (f"{_HERE}.provider", "provider", "Accounts that drivers work on."),
    "user": (f"{_HERE}.accounts", "user", "People who may ask."),
    "group": (f"{_HERE}.accounts", "group", "Groups of them."),
}

ALIASES = {"del-ip": "remove-ip", "undeploy": "deprovision", "recover": "retry", "vnet": "network"}

_SETTINGS = {"help_option_names": ["-h", "--help"]}


def oneprovision(session: "FormSession") -> click.Group:
    """The root of the tree, for one run of the program."""

    @click.group(cls=FormGroup, table=_TABLE, aliases=ALIASES, context_settings={"obj": session, **_SETTINGS})
    @server_options("ONEFORM")
    @click.option(
        "--remotes", metavar="FOLDERS", default="", help="Look for drivers here first (folders with pm/)."
    )
    @click.option("--embedded", is_flag=True, help="Work without the OpenNebula of ONE_XMLRPC.")
    @click.version_option(None, "-V", "--version", package_name="onesuite", prog_name="oneprovision")
    def oneprovision(server: str, username: str, password: str, remotes: str, embedded: bool) -> None:
        """Create, scale, repair and remove provisions: clusters of hosts with datastores and networks.

        \b
        oneprovision create examples/dummy-cluster.yaml
        oneprovision add-host 0 --amount 2
        oneprovision deprovision 0 --yes
        """
        session.ask(server, username, password)
        session.remotes, session.embedded = remotes, embedded

    return oneprovision
