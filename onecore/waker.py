"""Ends a wait of another thread."""

import os
import weakref
from contextlib import suppress


class Waker:
    """`fd` becomes readable once it rings (any thread may ring it), and is quiet again when it was heard."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        weakref.finalize(self, os.close, self.fd)

    def ring(self) -> None:
        os.eventfd_write(self.fd, 1)

    def hear(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self.fd)
