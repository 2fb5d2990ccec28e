"""The command `oneprovision`."""

import atexit
import gc
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onecore.config import Settings
    from onecore.drivers.catalog import Catalog
    from onecore.store.engine import Schema


def main(argv: Sequence[str] | None = None, boundary: Callable[[str], None] = lambda name: None) -> int:
    """Run one command line; returns its exit code (DESIGN 7). `boundary` is for those who test crashes."""
    _spare_collections()
    from onecore.cli import edge
    from oneprovision.cli.commands import oneprovision
    from oneprovision.cli.session import FormSession

    arguments = sys.argv[1:] if argv is None else argv
    session = FormSession("oneprovision", _schemas, boundary, arguments, find_drivers=_find_drivers)
    with session.handling_signals():
        exit_code = edge.run(
            oneprovision(session),
            arguments,
            "oneprovision",
            crash_file=session.crash_file,
            debug=session.debug,
            redactor=session.redactor,
        )
        session.finish(exit_code)
    return exit_code


def oneform() -> int:
    """The command `oneform`: the same drivers under the name that OneForm gave it."""
    return main(["oneform", *sys.argv[1:]])


def _schemas() -> "Sequence[Schema]":
    from oneprovision import oneform_store, store

    return (store.SCHEMA, oneform_store.SCHEMA)


def _find_drivers(settings: "Settings") -> "Catalog":
    from oneprovision.folders import open_catalog  # lazy: a command that only reads starts no driver

    return open_catalog(settings)


def _spare_collections() -> None:
    """Nearly all objects of a command live to its end: looking for cycles costs a fifth of its start."""
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)


if __name__ == "__main__":
    sys.exit(main())
