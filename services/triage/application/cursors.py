"""Positions in lists as opaque text; a forged one shows nothing, since every row passes the same checks."""

import base64
import binascii
from datetime import datetime

import orjson


class PagePositionError(ValueError):
    """A text that is no cursor of this list."""


def encode_cursor(instant: datetime, *ids: str) -> str:
    """The position after a row with this instant and these ids."""
    return base64.urlsafe_b64encode(orjson.dumps([instant.isoformat(), *ids])).decode().rstrip("=")


def decode_cursor(cursor: str, ids: int) -> tuple[datetime, list[str]]:
    """The instant and the ids of a cursor with so many ids; raises `PagePositionError`."""
    try:
        instant, *texts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        at = datetime.fromisoformat(instant)
    except (binascii.Error, TypeError, ValueError):
        raise PagePositionError from None
    # PostgreSQL takes no NUL, and an instant without offset would be read in the zone of the server.
    if len(texts) != ids or at.tzinfo is None or not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise PagePositionError
    return at, texts
