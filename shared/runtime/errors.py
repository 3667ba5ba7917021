"""Errors raised by handlers and at service start, with texts for operators."""


class Rejected(ValueError):  # noqa: N818 - names what happened to the record
    """A record that its handler cannot accept: it becomes a dead letter. `reason` holds no personal data, `park` parks its case."""

    def __init__(self, reason: str, *, park: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.park = park


class Unavailable(RuntimeError):  # noqa: N818 - names a state
    """Broker or database cannot be used at the moment; a retry can succeed."""


class Misconfigured(RuntimeError):  # noqa: N818 - names a state
    """A setting that cannot work; the text names the setting and the remedy."""
