"""Errors of the embedded servers: each text is a sentence that names the remedy."""

from collections.abc import Callable

ProgressCallback = Callable[[str], None]
"""Receives one line of text for the user, without a line end."""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be prepared or started."""


class RootInUseError(EmbeddedServerError):
    """Another running command uses this directory."""
