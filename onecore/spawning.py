"""Starts programs for `onecore.process`, from threads of its own.

Starting returns when the new program has been loaded, which on a machine that is busy with other programs
takes milliseconds. `os.posix_spawn` holds up every thread meanwhile; the same function of the C library,
called through ctypes, holds up only the one that calls it.
"""

import ctypes
import errno
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar

from onecore.crew import Crew

THREADS = 3
LINGER_S = 0.2
# Of <spawn.h>; glibc and musl agree on them.
_SETSIGDEF, _SETSID = 0x04, 0x80
# More than posix_spawnattr_t, posix_spawn_file_actions_t and sigset_t take anywhere.
_ROOM = 1024
# Python ignores the first two, and the shell of a background job the third; a program would inherit that.
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)

Key = TypeVar("Key")
_Strings = ctypes.Array[ctypes.c_char_p]


@dataclass(frozen=True)
class Order:
    """A program to start: `fds` become its standard input, output and error, and are all it inherits."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    fds: tuple[int, int, int]


@dataclass(frozen=True)
class Birth:
    """A program that was started at `at` (monotonic seconds)."""

    pid: int
    pidfd: int
    at: float


def crew() -> Crew[Key, Order, Birth | Exception]:
    """Starts what is ordered; an OSError or ValueError says why something was not started."""
    return Crew("starter", THREADS, LINGER_S, _started)


def _started(order: Order) -> Birth | Exception:
    try:
        return start(order)
    except Exception as exc:  # noqa: BLE001 whoever collects it decides what it means
        return exc


def start(order: Order) -> Birth:
    """Start a program in a session of its own (no terminal, own process group)."""
    at = time.monotonic()
    for program in (order.argv, ("/bin/sh", *order.argv)):
        try:
            pid = _posix_spawn(program, order)
        except OSError as exc:
            # A script without a first line `#!` is a shell script, as every shell and the old tool take it.
            if exc.errno != errno.ENOEXEC or program is not order.argv:
                raise
        else:
            return Birth(pid, os.pidfd_open(pid), at)
    raise AssertionError("unreachable")


def _posix_spawn(program: Sequence[str], order: Order) -> int:
    c, attributes = _c_library()
    path, pid, actions = os.fsencode(program[0]), ctypes.c_int(), ctypes.create_string_buffer(_ROOM)
    arguments, variables = _strings(program), _variables(tuple(order.env.items()))
    _check(c.posix_spawn_file_actions_init(actions))
    try:
        for number, fd in enumerate(order.fds):
            _check(c.posix_spawn_file_actions_adddup2(actions, fd, number))
        _check(c.posix_spawn(ctypes.byref(pid), path, actions, attributes, arguments, variables))
    finally:
        c.posix_spawn_file_actions_destroy(actions)
    return pid.value


@cache
def _c_library() -> tuple[ctypes.CDLL, ctypes.Array[ctypes.c_char]]:
    """The C library, and the attributes that every program is started with."""
    c = ctypes.CDLL(None)
    attributes, signals = ctypes.create_string_buffer(_ROOM), ctypes.create_string_buffer(_ROOM)
    _check(c.posix_spawnattr_init(attributes))
    c.sigemptyset(signals)
    for number in _DEFAULT_SIGNALS:
        c.sigaddset(signals, int(number))
    _check(c.posix_spawnattr_setsigdefault(attributes, signals))
    _check(c.posix_spawnattr_setflags(attributes, ctypes.c_short(_SETSIGDEF | _SETSID)))
    return c, attributes


@lru_cache(maxsize=4)
def _variables(env: tuple[tuple[str, str], ...]) -> _Strings:
    if any(not name or "=" in name for name, _ in env):
        raise ValueError("illegal environment variable name")
    return _strings(f"{name}={value}" for name, value in env)


def _strings(texts: Iterable[str]) -> _Strings:
    encoded = [os.fsencode(text) for text in texts]
    if any(b"\0" in each for each in encoded):
        raise ValueError("embedded null byte")
    return (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)


def _check(error: int) -> None:
    if error:
        raise OSError(error, os.strerror(error))
