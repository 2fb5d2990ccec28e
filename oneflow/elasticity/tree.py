"""An elasticity expression as a frozen tree, and the tree as text."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    text: str
    value: float


@dataclass(frozen=True)
class Name:
    """An attribute of virtual machines; upper case, without quotes."""

    name: str


Operand = Number | Name


@dataclass(frozen=True)
class Comparison:
    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True)
class Not:
    inner: "Expression"


@dataclass(frozen=True)
class Group:
    """What stands in parentheses; kept, so that a text can be given back as it was meant."""

    inner: "Expression"


@dataclass(frozen=True)
class Junction:
    """Terms joined by & or by |, never by both; the operators as typed, one fewer than the terms."""

    operators: tuple[str, ...]
    terms: tuple["Expression", ...]

    @property
    def is_and(self) -> bool:
        return self.operators[0].startswith("&")


Expression = Comparison | Not | Group | Junction


def render(expression: Expression, named: Callable[[str], str]) -> str:
    """The expression as text with single spaces; `named` gives the text that stands for an attribute."""
    match expression:
        case Comparison(left, operator, right):
            return f"{_operand_text(left, named)} {operator} {_operand_text(right, named)}"
        case Not(inner):
            return f"!{render(inner, named)}"
        case Group(inner):
            return f"({render(inner, named)})"
        case Junction(operators, terms):
            rest = [f" {op} {render(term, named)}" for op, term in zip(operators, terms[1:], strict=True)]
            return render(terms[0], named) + "".join(rest)


def text_of(expression: Expression) -> str:
    """The expression itself; reading it again gives the same tree."""
    return render(expression, lambda name: name)


def names_of(expression: Expression) -> frozenset[str]:
    """The attributes it asks for."""
    match expression:
        case Comparison(left, _, right):
            return frozenset(side.name for side in (left, right) if isinstance(side, Name))
        case Not(inner) | Group(inner):
            return names_of(inner)
        case Junction(_, terms):
            return frozenset[str]().union(*(names_of(term) for term in terms))


def float_text(value: float) -> str:
    """A float with its point and without an exponent: 40.5, 50.0, 100000000000000000000.0."""
    plain = repr(value)
    if "e" not in plain:
        return plain
    from decimal import Decimal  # lazy: only very large and very small numbers need it

    text = format(Decimal(plain), "f")
    return text if "." in text else f"{text}.0"


def _operand_text(operand: Operand, named: Callable[[str], str]) -> str:
    return named(operand.name) if isinstance(operand, Name) else operand.text
