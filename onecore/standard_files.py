"""The files that are a program's standard input, output and error: none can block, as a pipe could.

A recorded output has a path, begins with one empty line, which is ours, and is locked for as long as a
program has it as its output.
"""

import fcntl
import os
from pathlib import Path

# A file that is cut to nothing is written to the disk when it is closed (ext4), and to cut it again waits for
# that: milliseconds for each program. So one byte stays.
_MARK = b"\n"


def opened(stdin: bytes, output_path: Path | None) -> tuple[int, int, int]:
    """The three of a program to be started; raises BlockingIOError while another holds the output."""
    fds: list[int] = []
    try:
        fds.append(_memory_file("stdin", stdin) if stdin else os.open(os.devnull, os.O_RDONLY))
        fds.append(_output_file(output_path) if output_path else _memory_file("stdout"))
        fds.append(_memory_file("stderr"))
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise
    return fds[0], fds[1], fds[2]


def exceeds(fd: int, limit: int) -> bool:
    return os.fstat(fd).st_size > limit + len(_MARK)


def content(fd: int, limit: int, recorded: bool) -> bytes:
    """What a program printed, cut at `limit` bytes; `recorded`: it is an output with a path."""
    printed = os.pread(fd, min(os.fstat(fd).st_size, limit + len(_MARK)), 0)
    if recorded:
        printed = printed.removeprefix(_MARK)  # a program that opens its output anew has removed it
    return printed[:limit]


def locked(path: Path, further: int = 0) -> int:
    """The file, opened and locked; raises BlockingIOError while a program holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | further, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(fd)
        raise
    return fd


def unlock(fd: int) -> None:
    """Close it. Its lock is given up by name: a program that is being started just then has all our files
    until it is loaded, and closing would leave the lock with it."""
    fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)


def emptied(path: Path) -> bool:
    """Empty the output of a program that ended; False, and nothing done, while a child of it lives."""
    try:
        fd = locked(path)
    except BlockingIOError:
        return False
    try:
        _empty(fd)
    finally:
        unlock(fd)
    return True


def _memory_file(name: str, content: bytes = b"") -> int:
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    if content:
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _output_file(path: Path) -> int:
    fd = locked(path, os.O_CREAT)
    try:
        _empty(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _empty(fd: int) -> None:
    if os.pread(fd, len(_MARK) + 1, 0) != _MARK:  # to change nothing is cheaper
        os.pwrite(fd, _MARK, 0)
        os.ftruncate(fd, len(_MARK))
    os.lseek(fd, len(_MARK), os.SEEK_SET)
