"""The commands `oneflow` and `oneflow-template`."""

import atexit
import gc
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

    from onecore.store.engine import Schema
    from oneflow.cli.session import FlowSession


def main(argv: Sequence[str] | None = None, boundary: Callable[[str], None] = lambda name: None) -> int:
    """Run one command line of `oneflow`; returns its exit code (DESIGN 7). `boundary`: for those who test
    crashes."""
    from oneflow.cli.commands import oneflow

    return _run("oneflow", oneflow, argv, boundary)


def template_main(argv: Sequence[str] | None = None) -> int:
    """The same of `oneflow-template`."""
    from oneflow.cli.commands import oneflow_template

    return _run("oneflow-template", oneflow_template, argv, lambda name: None)


def _run(
    program: str,
    tree: "Callable[[FlowSession], click.Group]",
    argv: Sequence[str] | None,
    boundary: Callable[[str], None],
) -> int:
    _spare_collections()
    from onecore.cli import edge
    from oneflow.cli.session import FlowSession

    arguments = sys.argv[1:] if argv is None else argv
    session = FlowSession("oneflow", _schemas, boundary, arguments)
    with session.handling_signals():
        exit_code = edge.run(
            tree(session),
            arguments,
            program,
            crash_file=session.crash_file,
            debug=session.debug,
            redactor=session.redactor,
        )
        session.finish(exit_code)
    return exit_code


def _schemas() -> "Sequence[Schema]":
    from oneflow.store import SCHEMA

    return (SCHEMA,)


def _spare_collections() -> None:
    """Nearly all objects of a command live to its end: looking for cycles costs a fifth of its start."""
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)


if __name__ == "__main__":
    sys.exit(main())
