"""A small command line for the tests that need a real process: `edge_program.py FOLDER WHAT`."""

import signal
import sys
from pathlib import Path

import click

from onecore.cli import edge
from onecore.cli.output import write
from onecore.errors import NotFound

FOLDER = Path(sys.argv[1])


@click.group()
def one():
    pass


@one.command()
def many():
    for _ in range(10_000):
        write("x" * 100 + "\n")


@one.command()
def echo():
    for _ in range(10_000):
        click.echo("x" * 100)


@one.command()
def late():
    sys.stdout.write("still in the buffer when the command ends\n")


@one.command()
def letters():
    write("日本\n")


@one.command()
def fail():
    raise NotFound("provision '日本' not found")


@one.command()
def file():
    with (FOLDER / "file").open("w") as target:
        write("meant for stdout")
        sys.stderr.write("meant for stderr")
        sys.stderr.flush()
        target.write("data")


@one.command()
def wait():
    write("ready\n")
    signal.pause()


if __name__ == "__main__":
    sys.exit(edge.run(one, sys.argv[2:], "one", crash_file=lambda: FOLDER / "logs" / "crash.txt"))
