"""What can go wrong with the embedded servers, each in one sentence that names the remedy."""

from collections.abc import Callable

ProgressCallback = Callable[[str], None]
"""Receives one line of plain text for a person, without a line end."""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be prepared or started; the text says what to do."""


class RootInUseError(EmbeddedServerError):
    """Another running command owns the servers of this directory."""
