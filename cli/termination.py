"""Ends a block at SIGINT and SIGTERM as Ctrl-C does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


@contextmanager
def sigterm_like_interrupt() -> Iterator[None]:
    """SIGTERM interrupts the block, and so does SIGINT where the parent had it ignored.

    By default SIGTERM ends a process without its `finally` blocks.
    """
    if current_thread() is not main_thread():
        # Python sets signal handlers in the main thread alone; a block elsewhere ends with it.
        yield
        return
    # A shell starts background jobs of a script with SIGINT ignored, and asyncio takes it only from Python's own handler.
    interrupt_before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # As SIGINT, for which asyncio cancels the task in place of an exception at an arbitrary line.
    terminate_before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, terminate_before)
        signal.signal(signal.SIGINT, interrupt_before)
