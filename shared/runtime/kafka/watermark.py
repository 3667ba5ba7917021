"""How far each partition of the input has been read, in the broker's time: what a timer has to wait for."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.runtime.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class EndOffsetSource(Protocol):
    """Where we ask the broker."""

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends that the broker reports now."""
        ...


class PositionSource(Protocol):
    """What we ask the consumer."""

    async def position(self, partition: TopicPartition) -> int:
        """The offset of the next record to be handed out."""
        ...


class Watermark:
    """For each partition number the real instant up to which every input topic has been read and committed to the database.

    A record committed with timestamp t shows that everything before t has been read; reaching the end offset that the broker reported
    when asked at A shows that everything before A has been read. `tolerance` is taken off A for clocks that differ.
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
        self._asking = asyncio.Lock()
        self.lag_by_topic: dict[str, int] = {}

    def attach(self, end_offsets: EndOffsetSource, positions: PositionSource) -> None:
        """Use this broker and this consumer from now on; both take topics without our prefix."""
        self._end_offset_source = end_offsets
        self._position_source = positions

    def on_assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions, and only these, are ours; nothing of them has been read yet."""
        self._read_until = dict.fromkeys(partitions, _NEVER)

    def on_revoked(self) -> None:
        """No partition is ours."""
        self._read_until = {}

    def on_fetched(self, partitions: Iterable[TopicPartition]) -> None:
        """Records of these partitions are being handled; until the next poll their position says nothing."""
        self._in_flight = frozenset(partitions)

    def on_committed(self, timestamps_ms: Mapping[TopicPartition, int]) -> None:
        """The newest trusted timestamp by partition of what has been committed to the database."""
        for partition, stamp in timestamps_ms.items():
            self._advance(partition, _EPOCH + timedelta(milliseconds=stamp) - _MILLISECOND)

    def owned_partitions(self) -> list[int]:
        """The partition numbers of which every input topic is ours."""
        numbers: dict[int, int] = defaultdict(int)
        for partition in self._read_until:
            numbers[partition.partition] += 1
        return sorted(number for number, count in numbers.items() if count == len(self._topics))

    def read_until(self, partition: int) -> datetime:
        """The domain instant up to which the partition number has been read in all topics; long ago if it is not ours."""
        low = min((self._read_until.get(TopicPartition(topic, partition), _NEVER) for topic in self._topics), default=_NEVER)
        return _NEVER if low == _NEVER else self._clock.to_domain(low)

    def has_passed(self, partition: int, instant: datetime) -> bool:
        """True when everything that happened at or before the domain instant has been read."""
        return instant <= self.read_until(partition)

    async def wait_until_passed(self, partition: int, instant: datetime, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's patience
        """Wait until `passed`, asking the broker; False after `timeout` real seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not self.has_passed(partition, instant):
                    await self.refresh([partition])
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    async def refresh(self, partitions: Collection[int]) -> bool:
        """Ask the broker for the ends of these partition numbers in all topics and note which of them we have reached.

        A broker that does not answer changes nothing: the timers go on waiting. False says so.
        """
        wanted = [p for p in self._read_until if p.partition in set(partitions)]
        if self._end_offset_source is None or self._position_source is None or not wanted:
            return True
        async with self._asking:
            asked = self._clock.real_now()
            try:
                async with asyncio.timeout(self._request_timeout):
                    ends = await self._end_offset_source.end_offsets(wanted)
                    positions = await self._positions_without_batch(self._position_source, wanted)
            except (KafkaError, TimeoutError):
                return False
            self._apply_end_offsets(asked, ends, positions)
            return True

    async def _positions_without_batch(self, offsets: PositionSource, wanted: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Positions of partitions without a batch in hand: a batch moves its position first and may still be given back."""
        positions: dict[TopicPartition, int] = {}
        for partition in wanted:
            position = await offsets.position(partition)
            if partition not in self._in_flight:
                positions[partition] = position
        return positions

    def _apply_end_offsets(self, asked: datetime, ends: Mapping[TopicPartition, int], positions: Mapping[TopicPartition, int]) -> None:
        lags: dict[str, int] = defaultdict(int)
        for partition, position in positions.items():
            lags[partition.topic] += max(0, ends[partition] - position)
            if position >= ends[partition]:
                self._advance(partition, asked - self._clock_tolerance)
        self.lag_by_topic.update(lags)

    def _advance(self, partition: TopicPartition, instant: datetime) -> None:
        if partition in self._read_until:
            self._read_until[partition] = max(self._read_until[partition], instant)
