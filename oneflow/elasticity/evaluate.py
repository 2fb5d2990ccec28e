"""The truth of an expression and the text that shows it: true, false, or unknown for want of reports."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from oneflow.elasticity.tree import (
    Comparison,
    Expression,
    Group,
    Junction,
    Not,
    Number,
    Operand,
    float_text,
    names_of,
    render,
)

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}

Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Evaluation:
    """`verdict` None: unknown, which never fires. `text` is the `expression_evaluated` of documents, such as
    `CUSTOM_ATT[--] > 40`; `missing` are the attributes that nothing reports."""

    verdict: bool | None
    text: str
    missing: tuple[str, ...] = ()


def evaluate(expression: Expression, values: Values) -> Evaluation:
    """`values` by upper-case name; one that is missing, None or not a finite number is unknown."""
    missing = sorted(name for name in names_of(expression) if _known(values, name) is None)
    return Evaluation(
        _truth(expression, values), render(expression, lambda name: _named(values, name)), tuple(missing)
    )


def _truth(expression: Expression, values: Values) -> bool | None:
    match expression:
        case Comparison(left, compare, right):
            return _compare(_value(left, values), compare, _value(right, values))
        case Group(inner):
            return _truth(inner, values)
        case Not(inner):
            truth = _truth(inner, values)
            return None if truth is None else not truth
        case Junction(_, terms):
            # One false decides an "and", one true an "or", whatever is unknown.
            return _joined([_truth(term, values) for term in terms], decides=not expression.is_and)


def _joined(truths: Sequence[bool | None], decides: bool) -> bool | None:
    if decides in truths:
        return decides
    return None if None in truths else not decides


def _compare(left: float | None, compare: str, right: float | None) -> bool | None:
    if left is None or right is None:
        return None
    return _OPERATORS[compare](left, right)


def _value(operand: Operand, values: Values) -> float | None:
    return operand.value if isinstance(operand, Number) else _known(values, operand.name)


def _known(values: Values, name: str) -> float | None:
    value = values.get(name)
    return value if value is not None and math.isfinite(value) else None


def _named(values: Values, name: str) -> str:
    value = _known(values, name)
    return f"{name}[--]" if value is None else f"{name}[{float_text(float(value))}]"
