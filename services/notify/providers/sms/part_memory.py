"""Remembers in one process which parts of a text a carrier has accepted, so that a repeated attempt does not send them again."""

import hashlib
from collections import OrderedDict

_REMEMBERED_MESSAGES = 10_000


class PartMemory:
    """By idempotency key: the ids of the accepted parts, for messages whose attempt ended in the middle."""

    def __init__(self) -> None:
        self._accepted: OrderedDict[str, list[str]] = OrderedDict()

    def take(self, key: str) -> list[str]:
        """The ids of the parts that an earlier attempt has sent, and forget them."""
        return self._accepted.pop(key, [])

    def keep(self, key: str, ids: list[str]) -> None:
        """Remember the ids for the next attempt."""
        self._accepted[key] = ids
        if len(self._accepted) > _REMEMBERED_MESSAGES:
            self._accepted.popitem(last=False)


def concatenation_reference(key: str) -> int:
    """The number that joins the parts, from the key: a repeated attempt, also of another process, completes the same text."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:2], "big")
