"""The command `oneprovision`."""

import sys
from collections.abc import Callable, Sequence

from oneprovision.cli.session import Session


def main(argv: Sequence[str] | None = None, boundary: Callable[[str], None] = lambda name: None) -> int:
    """Run one command line; returns its exit code (DESIGN 7). `boundary` is for those who test crashes."""
    from onecore.cli import edge
    from oneprovision.cli.commands import oneprovision

    session = Session(boundary)
    arguments = sys.argv[1:] if argv is None else argv
    with session.handling_signals():
        return edge.run(
            oneprovision(session),
            arguments,
            "oneprovision",
            crash_file=session.crash_file,
            debug=session.debug,
        )


if __name__ == "__main__":
    sys.exit(main())
