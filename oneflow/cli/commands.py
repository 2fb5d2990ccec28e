"""The trees of `oneflow` and `oneflow-template`. Each command is imported when it is run."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from onecore.cli.client import server_options
from oneflow.cli.group import FlowGroup

if TYPE_CHECKING:
    from oneflow.cli.session import FlowSession

Command = TypeVar("Command", bound=Callable[..., Any])

_HERE = "oneflow.cli"

_TABLE = {
    "list": (f"{_HERE}.listing", "list_", "List services."),
    "top": (f"{_HERE}.listing", "top", "List services, or show one, again and again."),
    "show": (f"{_HERE}.showing", "show", "Show one service."),
    "logs": (f"{_HERE}.showing", "logs", "Show what happened to a service, and why."),
    "explain": (f"{_HERE}.showing", "explain", "Say why each policy does or does not fire."),
    "scale": (f"{_HERE}.acting", "scale", "Have another number of VMs in a role."),
    "recover": (f"{_HERE}.acting", "recover", "Take up what failed, or was begun and left."),
    "shutdown": (f"{_HERE}.acting", "shutdown", "Remove the VMs of services."),
    "delete": (f"{_HERE}.acting", "delete", "Remove services with their VMs."),
    "release": (f"{_HERE}.acting", "release", "Let what is on hold begin."),
    "add-role": (f"{_HERE}.acting", "add_role", "Add a role to a service that runs."),
    "remove-role": (f"{_HERE}.acting", "remove_role", "Remove a role with its VMs."),
    "purge-done": (f"{_HERE}.acting", "purge_done", "Forget the services that are DONE."),
    "action": (f"{_HERE}.batches", "action", "Act on all VMs of a role."),
    "sched-delete": (f"{_HERE}.batches", "sched_delete", "Cancel a scheduled action of a role."),
    "service": (f"{_HERE}.batches", "service", "Act on all VMs of a service."),
    "rename": (f"{_HERE}.editing", "rename", "Give a service another name."),
    "update": (f"{_HERE}.editing", "update", "Change limits, cooldown and policies."),
    "chown": (f"{_HERE}.editing", "chown", "Give services to another user."),
    "chgrp": (f"{_HERE}.editing", "chgrp", "Give services to another group."),
    "chmod": (f"{_HERE}.editing", "chmod", "Change who may use and manage services."),
    "template": (f"{_HERE}.template", "template", "Service templates: also oneflow-template."),
    "vm-template": (f"{_HERE}.vm_template", "vm_template", "What the VMs of a role are made of."),
    "vm": (f"{_HERE}.vm", "vm", "Look at the VMs of services."),
    "user": (f"{_HERE}.accounts", "user", "People who may ask."),
    "group": (f"{_HERE}.accounts", "group", "Groups of them."),
    "import": (f"{_HERE}.importing", "import_", "Take over services of OneFlow's own server."),
    "serve": (f"{_HERE}.serve", "serve", "Answer OneFlow's REST API, and drive all services."),
}

ALIASES = {"terminate": "shutdown", "undeploy": "shutdown"}

_SETTINGS = {"help_option_names": ["-h", "--help"]}


def oneflow(session: "FlowSession") -> click.Group:
    """The root of the tree of `oneflow`, for one run of the program."""

    @click.group(cls=FlowGroup, table=_TABLE, aliases=ALIASES, context_settings={"obj": session, **_SETTINGS})
    @_root_options("oneflow")
    def oneflow(**options: Any) -> None:
        """Deploy, order, watch and scale services: roles of virtual machines.

        \b
        oneflow template create examples/web-application.json
        oneflow template instantiate 0
        oneflow scale 0 worker 4
        """
        _remember(session, **options)

    return oneflow


def oneflow_template(session: "FlowSession") -> click.Group:
    """The root of the tree of `oneflow-template`."""
    from oneflow.cli.template import template_group

    group = template_group("oneflow-template")
    group.context_settings = {"obj": session, **_SETTINGS}

    @_root_options("oneflow-template")
    def remember(**options: Any) -> None:
        _remember(session, **options)

    group.callback = remember
    group.params = list(reversed(getattr(remember, "__click_params__", [])))
    return group


def _remember(
    session: "FlowSession", server: str, username: str, password: str, remotes: str, embedded: bool
) -> None:
    session.ask(server, username, password)
    session.remotes, session.embedded = remotes, embedded


def _root_options(program: str) -> Callable[[Command], Command]:
    options = [
        server_options("ONEFLOW"),
        click.option("--remotes", metavar="FOLDERS", default="", help="Look for drivers here first."),
        click.option("--embedded", is_flag=True, help="Work without the OpenNebula of ONE_XMLRPC."),
        click.version_option(None, "-V", "--version", package_name="onesuite", prog_name=program),
    ]

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add
