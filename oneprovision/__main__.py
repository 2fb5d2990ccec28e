"""The command `oneprovision`."""

import atexit
import gc
import sys
from collections.abc import Callable, Sequence


def main(argv: Sequence[str] | None = None, boundary: Callable[[str], None] = lambda name: None) -> int:
    """Run one command line; returns its exit code (DESIGN 7). `boundary` is for those who test crashes."""
    _spare_collections()
    from onecore.cli import edge
    from oneprovision.cli.commands import oneprovision
    from oneprovision.cli.session import Session

    arguments = sys.argv[1:] if argv is None else argv
    session = Session(boundary, arguments)
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


def _spare_collections() -> None:
    """Nearly all objects of a command live to its end: looking for cycles costs a fifth of its start."""
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)


if __name__ == "__main__":
    sys.exit(main())
