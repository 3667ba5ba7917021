"""The processes of the platform by their heartbeats, and those whose heartbeats stopped. Pure: instants are the broker's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.contracts.operations.heartbeats import STOPPED, Heartbeat


@dataclass(frozen=True, slots=True)
class Peer:
    """A process with its latest heartbeat and the broker's timestamp of it, in milliseconds."""

    beat: Heartbeat
    heard_ms: int


class Peers:
    """Processes with the latest heartbeat of each.

    Ages are counted to the latest heartbeat of anybody, the reader's own included, and not to the present: while the broker is away
    no one is heard, and no one has fallen silent for that.
    """

    def __init__(self) -> None:
        self._by_process: dict[tuple[str, str], Peer] = {}
        self._latest_ms = 0

    def hear(self, beat: Heartbeat, timestamp_ms: int) -> None:
        """Note a heartbeat and forget processes that it replaces."""
        self._latest_ms = max(self._latest_ms, timestamp_ms)
        if beat.state == STOPPED:
            self._by_process.pop((beat.service, beat.process), None)
            return
        # A pod that was killed comes back under another name: what fell silent before this one started is gone, not stalled.
        gone = [
            key
            for key, peer in self._by_process.items()
            if key[0] == beat.service and key[1] != beat.process and _instant(peer.heard_ms) < beat.started_at
        ]
        for key in gone:
            del self._by_process[key]
        self._by_process[beat.service, beat.process] = Peer(beat, timestamp_ms)

    def age_seconds(self, peer: Peer) -> float:
        """Seconds since the latest heartbeat of the process."""
        return (self._latest_ms - peer.heard_ms) / 1000

    def ages_by_service(self) -> dict[str, float]:
        """The age of the process of each service that has been silent for longest."""
        ages: dict[str, float] = {}
        for peer in self._by_process.values():
            ages[peer.beat.service] = max(ages.get(peer.beat.service, 0.0), self.age_seconds(peer))
        return ages

    def silent(self, seconds: float) -> set[tuple[str, str]]:
        """Service and process of each without a heartbeat for so many seconds."""
        return {key for key, peer in self._by_process.items() if self.age_seconds(peer) > seconds}

    def __iter__(self) -> Iterator[Peer]:
        """The processes by service and name."""
        return iter(peer for _, peer in sorted(self._by_process.items()))


def _instant(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
