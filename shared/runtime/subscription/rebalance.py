"""Waits for the running batch when partitions are revoked."""

import asyncio

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from shared.runtime.process import metrics
from shared.runtime.subscription.consumer import PollState

_DRAIN_TIMEOUT_SECONDS = 3.0
log = structlog.get_logger(__name__)


class DrainingRebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka does not wait for a running handler: the new owner would read the same records, and its inbox would skip them."""

    def __init__(self, poll_state: PollState, drain_timeout: float = _DRAIN_TIMEOUT_SECONDS) -> None:
        self._poll_state = poll_state
        self._drain_timeout = drain_timeout

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait for the running batch for a few seconds; the whole group waits meanwhile."""
        if revoked:
            try:
                async with asyncio.timeout(self._drain_timeout):
                    await self._poll_state.idle.wait()
            except TimeoutError:
                log.warning("rebalance did not wait for the running batch")
        self._poll_state.watermark.on_revoked()
        metrics.PARTITIONS_HELD.set(0)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start the watermark of the assigned partitions."""
        self._poll_state.watermark.on_assigned(self._poll_state.without_prefix(p) for p in assigned)
        self._poll_state.health.clear_trouble("consumer")
        metrics.PARTITIONS_HELD.set(len(self._poll_state.watermark.owned_partitions()))
