"""Lets a running batch finish before its partitions are revoked."""

import asyncio
import logging

from aiokafka import ConsumerRebalanceListener, TopicPartition

from shared.runtime.process import metrics
from shared.runtime.subscription.consumer import PollState

_DRAIN_TIMEOUT_SECONDS = 3.0


class DrainingRebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets a running batch finish before its partitions go to another process, which otherwise reads the same records."""

    def __init__(self, poll_state: PollState, drain_timeout: float = _DRAIN_TIMEOUT_SECONDS) -> None:
        self._poll_state = poll_state
        self._drain_timeout = drain_timeout

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait, but not for long: the group waits with us, and the inbox would catch the repeats."""
        if revoked:
            try:
                async with asyncio.timeout(self._drain_timeout):
                    await self._poll_state.idle.wait()
            except TimeoutError:
                logging.getLogger(__name__).warning("rebalance did not wait for the running batch")
        self._poll_state.watermark.on_revoked()
        metrics.PARTITIONS_HELD.set(0)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start the watermark anew."""
        self._poll_state.watermark.on_assigned(self._poll_state.without_prefix(p) for p in assigned)
        self._poll_state.health.clear_trouble("consumer")
        metrics.PARTITIONS_HELD.set(len(self._poll_state.watermark.owned_partitions()))
