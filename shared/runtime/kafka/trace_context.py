"""Trace context of requests and records, as W3C Trace Context lays it down."""

import re

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def valid_traceparent(text: str | None) -> str | None:
    """The value of a `traceparent` header of version 00 (55 characters), None for anything else: the standard has it ignored.

    It travels in the headers of every message that follows, so a longer one could fill a record up to the broker's limit.
    """
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None
