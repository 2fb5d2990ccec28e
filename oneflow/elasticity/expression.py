"""The language of elasticity expressions: text in, a frozen tree out, or where the text is wrong."""

import re
from collections.abc import Callable
from functools import lru_cache

from onecore.errors import InvalidInput
from oneflow.elasticity.tree import (
    Comparison,
    Expression,
    Group,
    Junction,
    Name,
    Not,
    Number,
    Operand,
    float_text,
)

MAX_LENGTH = 4096
MAX_DEPTH = 64

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NAME = re.compile(r"""([A-Za-z][0-9A-Za-z_]*)|"([A-Za-z][0-9A-Za-z_]*)"|'([A-Za-z][0-9A-Za-z_]*)'""")
_COMPARE = re.compile(r"==|=|!=|<>|>=|>|<=|<")
_AND = re.compile(r"&&?")
_OR = re.compile(r"\|\|?")
# Only the space separates: a tab or a new line is refused, as it always was.
_SPACES = re.compile(r" *")

_HINT = (
    "compare numbers and attributes with = != > >= < <=, join with & and |, negate with !, group with ( ), "
    "separate with spaces only"
)


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """The tree of an expression, `!` before `&` before `|`. InvalidInput: `Parse error. '<expr>': <reason>`,
    with the reason and the position (from 1) in its context."""
    if len(text) > MAX_LENGTH:
        raise _error(text, f"longer than {MAX_LENGTH} characters", MAX_LENGTH)
    return _Parser(text).whole()


def differs_from_legacy(text: str) -> bool:
    """Whether older servers understand the text otherwise: to them & and | are equal and bind to the right,
    and ! denies everything up to the closing parenthesis."""
    return _differs(parse(text))


def _differs(expression: Expression) -> bool:
    # In `x & rest` and in `x | rest` both readings split at the same place, so that they differ only where an
    # & is followed by an |, or where an odd number of ! stands before something that is not the last term.
    if _mixed(expression):
        return True
    conditions = _conditions(expression)
    denied_early = any(_denials(condition) % 2 for condition in conditions[:-1])
    return denied_early or any(_differs(group.inner) for group in map(_atom, conditions) if group)


def _mixed(expression: Expression) -> bool:
    if not isinstance(expression, Junction) or expression.is_and:
        return False
    return any(isinstance(term, Junction) for term in expression.terms[:-1])


def _conditions(expression: Expression) -> list[Expression]:
    if isinstance(expression, Junction):
        return [condition for term in expression.terms for condition in _conditions(term)]
    return [expression]


def _denials(expression: Expression) -> int:
    return 1 + _denials(expression.inner) if isinstance(expression, Not) else 0


def _atom(expression: Expression) -> Group | None:
    while isinstance(expression, Not):
        expression = expression.inner
    return expression if isinstance(expression, Group) else None


def _error(text: str, reason: str, position: int) -> InvalidInput:
    from onecore.schema.problems import shown  # lazy: only a mistake needs it

    return InvalidInput(
        f"Parse error. {shown(text)}: {reason}",
        hint=_HINT,
        context={"reason": reason, "position": position},
    )


class _Parser:
    """Recursive descent; every method leaves the position after what it read and the spaces behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def whole(self) -> Expression:
        self._take(_SPACES)
        if self.at == len(self.text):
            raise _error(self.text, "it is empty", 1)
        expression = self._or()
        if self.at < len(self.text):
            raise self._expected("'&', '|' or the end")
        return expression

    def _or(self) -> Expression:
        return self._joined(_OR, self._and)

    def _and(self) -> Expression:
        return self._joined(_AND, self._condition)

    def _joined(self, operator: re.Pattern[str], term: Callable[[], Expression]) -> Expression:
        terms, operators = [term()], []
        while found := self._take(operator):
            operators.append(found)
            terms.append(term())
        return Junction(tuple(operators), tuple(terms)) if operators else terms[0]

    def _condition(self) -> Expression:
        if self._take_text("!"):
            self._deeper()
            inner = self._condition()
            self.depth -= 1
            return Not(inner)
        if self._take_text("("):
            self._deeper()
            inner = self._or()
            if not self._take_text(")"):
                raise self._expected("'&', '|' or ')'")
            self.depth -= 1
            return Group(inner)
        left = self._operand("a number, a name, '!' or '('")
        operator = self._take(_COMPARE)
        if not operator:
            raise self._expected("a comparison such as '>'")
        return Comparison(left, operator, self._operand("a number or a name"))

    def _operand(self, expected: str) -> Operand:
        if name := _NAME.match(self.text, self.at):
            self._take(_NAME)
            return Name((name[1] or name[2] or name[3]).upper())
        start = self.at
        number = self._take(_NUMBER)
        if not number:
            raise self._expected(expected)
        value = float(number)
        if value in (float("inf"), float("-inf")):
            raise _error(self.text, f"the number at position {start + 1} is too large", start + 1)
        return Number(float_text(value) if "." in number else number, value)

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            reason = f"more than {MAX_DEPTH} levels of '!' and '(' at position {self.at}"
            raise _error(self.text, reason, self.at)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        if pattern is not _SPACES:
            self._take(_SPACES)
        return found[0]

    def _take_text(self, mark: str) -> bool:
        if not self.text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        self._take(_SPACES)
        return True

    def _expected(self, what: str) -> InvalidInput:
        from onecore.schema.problems import shown  # lazy: only a mistake needs it

        found = shown(self.text[self.at]) if self.at < len(self.text) else "the end"
        reason = f"expected {what} at position {self.at + 1}, found {found}"
        return _error(self.text, reason, self.at + 1)
