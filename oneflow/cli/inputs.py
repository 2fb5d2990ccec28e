"""Asking people for what a template wants to know, one value after the other, as OneFlow's client does."""

import base64
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import click

from onecore.cli.text import printable
from oneflow.model import inputs, networks
from oneflow.model.inputs import NETWORK, YES_OR_NO, Input, parsed
from oneflow.model.vocabulary import unified

Ask = Callable[[Input, str], str]
"""Gives the value of an input; the text says whose it is."""


def can_ask() -> bool:
    """Questions go to stderr, since stdout is data."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answers(body: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """What is to be laid over the template: a value for each input of it and of its roles, and for each of
    its networks, that has none."""
    template: Any = unified(body)
    changes: dict[str, Any] = {}
    of_service = _answered(template, "service", ask)
    if of_service:
        changes["custom_attrs_values"] = of_service
    of_networks = _networks(template, ask)
    if of_networks:
        changes[networks.VALUES] = [*template.get(networks.VALUES, ()), *of_networks]
    of_roles = [(role["name"], _answered(role, f"role {role['name']}", ask)) for role in template["roles"]]
    roles = [{"name": name, "custom_attrs_values": given} for name, given in of_roles if given]
    return {**changes, **({"roles": roles} if roles else {})}


def ask_at_terminal(question: Input, where: str) -> str:
    """Asks again until the answer can be. Raises click.Abort at Ctrl-C and at the end of the input."""

    def checked(text: str) -> str:
        problem = question.problem(text)
        if problem:
            raise click.UsageError(f"{question.name} {problem}")
        return text

    answer: str = click.prompt(
        printable(_wording(question, where)),
        default=question.default or (None if question.mandatory else ""),
        show_default=bool(question.default) and not question.is_secret,
        hide_input=question.is_secret,
        value_proc=checked,
        err=True,
    )
    if question.kind == "text64" and answer != question.default:
        return base64.b64encode(answer.encode()).decode()
    return answer


def _answered(body: Mapping[str, Any], where: str, ask: Ask) -> dict[str, str]:
    return {
        each.name: each.default if each.kind == "fixed" else ask(each, where)
        for each in inputs.unanswered(body)
    }


def _networks(template: Mapping[str, Any], ask: Ask) -> list[dict[str, Any]]:
    questions = [replace(parsed(*each), kind=NETWORK) for each in networks.unanswered(template).items()]
    return [{each.name: networks.read(each.name, ask(each, "service"))} for each in questions]


def _wording(question: Input, where: str) -> str:
    about = f": {question.about}" if question.about else ""
    return f"{where}: {question.name}{about} ({_kind(question)})"


def _kind(question: Input) -> str:
    options = question.options
    named = {
        "boolean": "/".join(YES_OR_NO),
        "list": "/".join(options),
        "list-multiple": f"some of {','.join(options)}",
        "range": " to ".join(options),
        "range-float": " to ".join(options),
        "text64": "text, kept as base64",
        NETWORK: "id:N, template_id:N or reserve_from:N",
    }.get(question.kind, question.kind)
    return named if question.mandatory else f"{named}, optional"
