"""Asks people for what an order or an account needs and nobody has said yet; where nobody can be asked,
nothing is, and whoever checks says what is missing.

Questions go to stderr, since stdout is data; what is secret is not shown while it is typed.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from onecore.cli.text import printable
from onecore.errors import InvalidInput
from oneprovision.model import answers, inputs
from oneprovision.model.folder import Input
from oneprovision.model.shapes import text_of

Ask = Callable[[str, bool], str]
"""A question, and whether the answer is a secret; returns what was typed, which may be nothing."""
Tell = Callable[[str], None]


def somebody_is_there() -> bool:
    return sys.stdin.isatty()


def ask(question: str, secret: bool) -> str:
    typed: str = click.prompt(
        printable(question), default="", show_default=False, hide_input=secret, err=True, prompt_suffix=": "
    )
    return typed


def tell(text: str) -> None:
    click.echo(printable(text, keep_newlines=True), err=True)


def values(
    asked: Sequence[Input], given: Mapping[str, object], everything: bool, ask: Ask = ask, tell: Tell = tell
) -> dict[str, object]:
    """What was given, completed: what is mandatory and missing is asked for, or (`everything`) all that was
    not given. What may be left out and is answered with nothing stays unsaid."""
    said = dict(given)
    for position, each in enumerate(asked):
        if each.name in said or not (everything or _is_missing(each)):
            continue
        so_far = asked[: position + 1]

        def check(value: object, so_far: Sequence[Input] = so_far, each: Input = each) -> None:
            known = {i.name: said[i.name] for i in so_far if i.name in said}
            answers.resolve(so_far, {**known, each.name: value})

        value = _answer(_question(each), answers.choices(each, said), each, check, (ask, tell))
        if value is not None:
            said[each.name] = value
    return said


def template_inputs(template: dict[str, object], ask: Ask = ask, tell: Tell = tell) -> None:
    """The inputs of a template that need a value and have none; the answers are put where --set puts them."""
    declared = template.get("inputs")
    for entry in declared if isinstance(declared, list) else []:
        if not isinstance(entry, dict) or not inputs.is_missing(entry):
            continue

        def check(value: object, entry: dict[str, Any] = entry) -> None:
            inputs.resolve([{**entry, "value": value}], {})

        name, kind = text_of(entry.get("name")), text_of(entry.get("type") or "text")
        about, secret = text_of(entry.get("description")), kind == "password"
        as_input = Input(name, kind, about, mandatory=True, sensitive=secret)
        entry["value"] = _answer(_question(as_input), inputs.options(entry), as_input, check, (ask, tell))


def one_of(what: str, names: Sequence[str], ask: Ask = ask, tell: Tell = tell) -> str:
    """One of several, by number or name."""

    def check(value: object) -> None:
        if value not in names:
            raise InvalidInput(f"there is no {what} '{value}'")

    return str(_answer(what, list(names), Input(what, mandatory=True), check, (ask, tell)))


def _is_missing(asked: Input) -> bool:
    return asked.mandatory and asked.default is None


def _question(asked: Input) -> str:
    about = f"{asked.name} ({asked.type})"
    about += f", {asked.description.strip()}" if asked.description.strip() else ""
    if asked.default is not None and not asked.sensitive:
        return f"{about} [{text_of(asked.default)}]"
    return about


def _answer(
    question: str,
    choices: Sequence[object],
    asked: Input,
    check: Callable[[object], None],
    people: tuple[Ask, Tell],
) -> object | None:
    ask, tell = people
    if choices:
        tell("\n".join([f"{question}:", *(f"  {n} {text_of(c)}" for n, c in enumerate(choices, 1))]))
        question = f"{asked.name}, by number or value"
    while True:
        typed = ask(question, asked.sensitive)
        if not typed and not _is_missing(asked):
            return None
        if not typed:
            tell(f"{asked.name} is needed")
            continue
        value = _chosen(typed, choices)
        try:
            check(value)
        except InvalidInput as exc:
            tell(exc.message)
        else:
            return value


def _chosen(typed: str, choices: Sequence[object]) -> object:
    texts = [text_of(each) for each in choices]
    if typed not in texts and typed.isascii() and typed.isdecimal() and 1 <= int(typed) <= len(texts):
        return choices[int(typed) - 1]
    return typed
