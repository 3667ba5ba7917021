"""Waits for the running batch when partitions are revoked."""

import asyncio

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from shared.runtime.process import metrics
from shared.runtime.subscription.consumer import PollState

_DRAIN_TIMEOUT_SECONDS = 3.0
log = structlog.get_logger(__name__)


class DrainingRebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Waits for the running batch before the partitions are revoked, which aiokafka does not do.

    Without the wait the new owner reads the records of the batch again, because their offsets are not committed yet. No record is applied
    twice (its id is in the inbox), but the insert of the id waits until the transaction of the batch has ended.
    """

    def __init__(self, poll_state: PollState, drain_timeout: float = _DRAIN_TIMEOUT_SECONDS) -> None:
        self._poll_state = poll_state
        self._drain_timeout = drain_timeout

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait a few seconds for the running batch; the rebalance of the whole group waits too, so the time is bounded."""
        if revoked:
            try:
                async with asyncio.timeout(self._drain_timeout):
                    await self._poll_state.idle.wait()
            except TimeoutError:
                log.warning("the running batch did not finish before the rebalance")
        self._poll_state.watermark.on_revoked()
        metrics.PARTITIONS_HELD.set(0)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start the watermark of the assigned partitions."""
        self._poll_state.watermark.on_assigned(self._poll_state.without_prefix(p) for p in assigned)
        self._poll_state.health.clear_trouble("consumer")
        metrics.PARTITIONS_HELD.set(len(self._poll_state.watermark.owned_partitions()))
