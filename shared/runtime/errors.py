"""What a handler, the breaker and the start say when they cannot go on."""


class Rejected(ValueError):  # noqa: N818 - reads as what happened to the record
    """A record that its handler cannot accept; `reason` holds no personal data, `park` says whether its case waits."""

    def __init__(self, reason: str, *, park: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.park = park


class Unavailable(RuntimeError):  # noqa: N818 - a state, as the reader of a log knows it
    """Broker or database could not be used for too long; nothing was skipped."""


class Misconfigured(RuntimeError):  # noqa: N818 - likewise
    """A setting that cannot work; the text names the setting and the remedy."""
