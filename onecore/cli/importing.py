"""`import` of both tools: what another program's server keeps in an OpenNebula is told, then taken over."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import click

from onecore.errors import NotFound, WrongState


class Found(Protocol):
    """One document there, as a line for people; `problem` says why it cannot be taken over."""

    @property
    def id(self) -> int: ...

    @property
    def problem(self) -> str: ...


F = TypeVar("F", bound=Found)


@dataclass(frozen=True)
class Import(Generic[F]):
    """`server`: whose documents; `found` changes nothing; `take_over` is all or nothing."""

    server: str
    found: Callable[[Collection[int]], Sequence[F]]
    take_over: Callable[[Sequence[F]], None]

    def run(self, numbers: Collection[int], dry_run: bool) -> None:
        """Only the documents of these numbers, if there are any."""
        seen = self.found(numbers)
        missing = sorted(set(numbers) - {each.id for each in seen})
        if missing:
            raise NotFound(f"{self.server} keeps no document {', '.join(map(str, missing))} there")
        if not seen:
            click.echo(f"{self.server} keeps nothing there", err=True)
        for each in seen:
            click.echo(f"{each}: NOT taken over: {each.problem}" if each.problem else str(each))
        if dry_run:
            click.echo("nothing was changed", err=True)
            return
        self.take_over(seen)
        left = [str(each.id) for each in seen if each.problem]
        if left:
            raise WrongState(f"not taken over: {', '.join(left)}")
