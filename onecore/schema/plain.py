"""Copies data from anywhere and names what JSON could not hold, so that validation meets no surprise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onecore.schema.document import Document, Path
from onecore.schema.nodes import Limits, number_problem
from onecore.schema.problems import Problem, path_text, refusal, shown


def plain_copy(document: Document) -> object:
    """A deep copy of dict, list, str, int, float, bool and None; InvalidInput when that is impossible."""
    copier = _Copier(document, Limits(document.name))
    copy = copier.copy(document.data, ())
    if copier.problems:
        raise refusal(document.name, copier.problems)
    return copy


@dataclass
class _Copier:
    document: Document
    limits: Limits
    problems: list[Problem] = field(default_factory=list)

    def copy(self, value: object, path: Path) -> object:
        self.limits.spend(1, self.document.line(path))
        self.limits.check_depth(len(path), self.document.line(path))
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if isinstance(value, list | tuple):
            return [self.copy(item, (*path, at)) for at, item in enumerate(value)]
        return self._scalar(value, path)

    def _mapping(self, value: Mapping[object, object], path: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        for key, item in value.items():
            if isinstance(key, str):
                result[str(key)] = self.copy(item, (*path, key))
            else:
                self._complain(f"the key {shown(key)} is not text", path)
        return result

    def _scalar(self, value: object, path: Path) -> object:
        if value is None or isinstance(value, str | bool):
            return value
        if not isinstance(value, int | float):
            self._complain(f"a {type(value).__name__} cannot be written as JSON", path)
            return None
        problem = number_problem(value)
        if problem:
            self._complain(problem, path)
        return value

    def _complain(self, message: str, path: Path) -> None:
        self.problems.append(Problem(message, self.document.line(path), path_text(path)))
