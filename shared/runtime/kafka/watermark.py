"""The watermark: the instant up to which each partition of the input has been read. A timer fires only after it has passed."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.runtime.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_WAIT_POLL_SECONDS = 0.02


class EndOffsetSource(Protocol):
    """Supplies end offsets of the broker."""

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The present end offsets."""
        ...


class PositionSource(Protocol):
    """Supplies positions of the consumer."""

    async def position(self, partition: TopicPartition) -> int:
        """The offset of the next record that the consumer returns."""
        ...


class Watermark:
    """For each partition number the real instant up to which every input topic has been read and committed to the database.

    A committed record with timestamp t shows that everything before t has been read. A position that has reached the end offset
    requested at instant A shows that everything before A has been read, less `clock_tolerance` for clocks that differ.
    """

    def __init__(self, clock: Clock, topics: Iterable[str], clock_tolerance: timedelta, request_timeout: float = 4.0) -> None:
        self._clock = clock
        self._topics = tuple(topics)
        self._clock_tolerance = clock_tolerance
        self._request_timeout = request_timeout
        self._read_until: dict[TopicPartition, datetime] = {}
        self._in_flight: frozenset[TopicPartition] = frozenset()
        self._end_offset_source: EndOffsetSource | None = None
        self._position_source: PositionSource | None = None
        self._request_lock = asyncio.Lock()
        self._lags: dict[TopicPartition, int] = {}
        self._when_assigned: Callable[[], None] = lambda: None

    @property
    def tolerance_seconds(self) -> float:
        """How much later than an instant the broker has to be asked to show that everything before the instant has been read."""
        return self._clock_tolerance / timedelta(seconds=1)

    def when_assigned(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever partitions have been assigned."""
        self._when_assigned = callback

    def attach(self, end_offsets: EndOffsetSource, positions: PositionSource) -> None:
        """Use these sources; both take topics without the prefix of the settings."""
        self._end_offset_source = end_offsets
        self._position_source = positions

    def on_assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """The consumer owns these partitions and no others; nothing of them counts as read."""
        self._read_until = dict.fromkeys(partitions, _NEVER)
        self._lags = {}
        self._when_assigned()

    def on_revoked(self) -> None:
        """The consumer owns no partition."""
        self._read_until = {}

    def on_fetched(self, partitions: Iterable[TopicPartition]) -> None:
        """Records of these partitions are being processed: until the next poll their position is not committed."""
        self._in_flight = frozenset(partitions)

    def on_committed(self, timestamps_ms: Mapping[TopicPartition, int]) -> None:
        """Records up to these broker timestamps have been committed to the database."""
        for partition, timestamp_ms in timestamps_ms.items():
            # The next record may have the same timestamp.
            self._advance(partition, _EPOCH + timedelta(milliseconds=timestamp_ms) - _MILLISECOND)

    def owned_partitions(self) -> list[int]:
        """The partition numbers that this process owns in every input topic."""
        topic_counts: dict[int, int] = defaultdict(int)
        for partition in self._read_until:
            topic_counts[partition.partition] += 1
        return sorted(number for number, count in topic_counts.items() if count == len(self._topics))

    def read_until(self, partition: int) -> datetime:
        """The domain instant up to which the partition number has been read in all topics; the year 1 if it is not owned."""
        slowest = min((self._read_until.get(TopicPartition(topic, partition), _NEVER) for topic in self._topics), default=_NEVER)
        return _NEVER if slowest == _NEVER else self._clock.to_domain(slowest)

    def earliest_unread_ms(self, partition: TopicPartition) -> int:
        """The earliest broker timestamp in milliseconds that a record not yet read can count by; 0 if nothing is known.

        After a change of leader the new broker's clock may be slower. Timers up to the watermark have fired: a record behind it that
        counted as earlier would make a breach out of an action that came in time.
        """
        instant = self._read_until.get(partition, _NEVER)
        return 0 if instant == _NEVER else (instant - _EPOCH) // _MILLISECOND + 1

    def has_passed(self, partition: int, instant: datetime) -> bool:
        """Whether everything that happened at or before the domain instant has been read."""
        return instant <= self.read_until(partition)

    @property
    def lag_by_topic(self) -> dict[str, int]:
        """Records not yet fetched in the owned partitions, by topic, as far as they have been compared."""
        lags: dict[str, int] = defaultdict(int)
        for partition, lag in self._lags.items():
            if partition in self._read_until:
                lags[partition.topic] += lag
        return dict(lags)

    @property
    def lag_seconds(self) -> float:
        """Real seconds by which the slowest owned partition that was read is behind; 0 where none was."""
        now = self._clock.real_now()
        slowest = min((instant for instant in self._read_until.values() if instant != _NEVER), default=now)
        return max(0.0, (now - slowest).total_seconds())

    async def wait_until_passed(self, partition: int, instant: datetime, timeout: float) -> bool:  # noqa: ASYNC109 - returns False instead of raising
        """Wait until the watermark has passed the instant; False after `timeout` real seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not self.has_passed(partition, instant):
                    await self.refresh([partition])
                    await asyncio.sleep(_WAIT_POLL_SECONDS)
        except TimeoutError:
            return False
        return True

    async def refresh(self, partitions: Collection[int]) -> bool:
        """Compare the end offsets of these partition numbers with the positions; False when the broker does not answer."""
        requested = [p for p in self._read_until if p.partition in set(partitions)]
        if self._end_offset_source is None or self._position_source is None or not requested:
            return True
        async with self._request_lock:
            requested_at = self._clock.real_now()
            try:
                async with asyncio.timeout(self._request_timeout):
                    ends = await self._end_offset_source.end_offsets(requested)
                    positions, idle = await self._positions(self._position_source, requested)
            except (KafkaError, TimeoutError):
                return False
            self._apply_end_offsets(requested_at, ends, positions, idle)
            return True

    async def _positions(
        self, source: PositionSource, partitions: Collection[TopicPartition]
    ) -> tuple[dict[TopicPartition, int], set[TopicPartition]]:
        """The positions, and the partitions without a running batch: a batch has moved its position and may be rolled back."""
        positions: dict[TopicPartition, int] = {}
        idle: set[TopicPartition] = set()
        for partition in partitions:
            positions[partition] = await source.position(partition)
            # Checked after the await, during which a poll may have moved the position.
            if partition not in self._in_flight:
                idle.add(partition)
        return positions, idle

    def _apply_end_offsets(
        self,
        requested_at: datetime,
        ends: Mapping[TopicPartition, int],
        positions: Mapping[TopicPartition, int],
        idle: Collection[TopicPartition],
    ) -> None:
        for partition, position in positions.items():
            # Also behind a running batch, whose own records are not counted: while one is repeated, its partition would show no lag.
            self._lags[partition] = max(0, ends[partition] - position)
            if partition in idle and position >= ends[partition]:
                self._advance(partition, requested_at - self._clock_tolerance)

    def _advance(self, partition: TopicPartition, instant: datetime) -> None:
        if partition in self._read_until:
            self._read_until[partition] = max(self._read_until[partition], instant)
