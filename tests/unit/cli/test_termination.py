"""SIGINT and SIGTERM end a block of a command, also in the background of a shell script, where the shell has SIGINT ignored."""

import os
import signal
from collections.abc import Iterator

import pytest

from cli.termination import sigterm_like_interrupt


@pytest.fixture(params=[signal.SIG_IGN, signal.default_int_handler])
def inherited(request: pytest.FixtureRequest) -> Iterator[object]:
    before = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_ends_the_block_and_the_handlers_are_restored(number: signal.Signals, inherited: object) -> None:
    of_term = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_like_interrupt():
        os.kill(os.getpid(), number)
    assert signal.getsignal(signal.SIGINT) is inherited
    assert signal.getsignal(signal.SIGTERM) is of_term
