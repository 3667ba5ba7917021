"""Names the peer behind an address, so that one that is slow occupies only its share of the attempts that run."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from services.notify.domain.chat.address import ChatAddress


def delivery_lane(channel: str, address: str) -> str:
    """The lane of a delivery: hashed, since a domain can name a person; empty for channels whose provider is the only peer.

    A mail relay that calls the recipient's server back before it accepts is as slow as that server; a group robot limits its own group.
    """
    match channel:
        case "email":
            peer = address.rpartition("@")[2].lower()
        case "chat":
            peer = ChatAddress.parse(address).robot
        case _:
            return ""
    return hashlib.sha256(f"{channel}|{peer}".encode()).hexdigest()[:16] if peer else ""


class LaneLoad:
    """Counts the attempts that run in each lane; a lane takes at most `share` of them."""

    def __init__(self, share: int) -> None:
        self.share = max(1, share)
        self._running: Counter[str] = Counter()

    @property
    def running(self) -> Mapping[str, int]:
        """Lane → attempts that run now, for lanes with any."""
        return self._running

    @contextmanager
    def occupy(self, lane: str) -> Iterator[None]:
        """Count one attempt of the lane for the length of the block."""
        self._running[lane] += 1
        try:
            yield
        finally:
            self._running[lane] -= 1
            if self._running[lane] == 0:
                del self._running[lane]
