"""Limits senders of bad input: one that sends too much of it is set aside alone, so that it harms no one else."""

from collections import Counter
from collections.abc import Collection

import structlog

from shared.runtime.clock import monotonic
from shared.runtime.http.rate_limit import TokenBucket
from shared.runtime.kafka.record import FailedRecord, ReceivedRecord
from shared.runtime.process import metrics

UNVERIFIED = metrics.UNVERIFIED
"""The name under which records count that prove no sender; a name that they claim could be any text, or someone else's."""
log = structlog.get_logger(__name__)


class SenderLimits:
    """A token bucket of bad records for each verified sender: `burst` at once, refilled at `per_minute`; a burst of 0 switches it off.

    The names are those of the organisation file, which bounds the buckets and the metric's labels.
    """

    def __init__(self, burst: int, per_minute: float) -> None:
        self._burst = burst
        self._rate = per_minute / 60
        self._buckets: dict[str, TokenBucket] = {}

    def limited_senders(self, records: Collection[ReceivedRecord]) -> frozenset[str]:
        """The senders of these records that have no token: their records are set aside until the bucket has one again."""
        if not self._buckets:
            return frozenset()
        now = monotonic()
        senders = {record.sender for record in records if record.sender is not None}
        return frozenset(sender for sender in senders if sender in self._buckets and self._buckets[sender].seconds_until_available(now) > 0)

    def count_bad(self, failures: Collection[FailedRecord]) -> None:
        """Count bad records that have been committed as dead letters."""
        for (topic, sender), count in Counter((failure.raw.topic, failure.sender) for failure in failures).items():
            metrics.BAD_RECORDS.labels(topic, sender or UNVERIFIED).inc(count)
            if sender is None or self._burst == 0:
                continue
            bucket = self._buckets.setdefault(sender, TokenBucket(self._rate, self._burst, self._burst, monotonic()))
            # No debt: the bucket of a sender that has stopped is usable again after one refill.
            bucket.consume(min(count, max(0, int(bucket.tokens))))
            log.warning("bad records", topic=topic, sender=sender, records=count, left=int(bucket.tokens))
