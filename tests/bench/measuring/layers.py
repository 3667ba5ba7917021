"""Assigns a stack to the layer that it works for: fetch, decode, decide, encode, SQL, relay, application or runtime."""

from __future__ import annotations

import re
from collections.abc import Iterable

LAYERS = ("fetch", "decode", "decide", "encode", "SQL", "relay", "application", "runtime")
# The first rule that matches a frame decides, and the innermost frame that matches one; libraries without a rule count for their caller.
_RULES = tuple(
    (re.compile(pattern), layer)
    for pattern, layer in (
        (r"/aiokafka/producer/|/outbox/(relay|publish_spans|unsendable)\.py|/kafka/producer\.py", "relay"),
        (r"/aiokafka/|/faststream/|/runtime/subscription/|/kafka/(offsets|watermark|connection)\.py", "fetch"),
        (r"/asyncpg/|/sqlalchemy/|/runtime/database/|/storage/|/processing/inbox\.py|/timers/timers\.py", "SQL"),
        (r":decode\w*$|/kafka/(record|record_decoder|partitioner)\.py|/submission_reading\.py|/domain/submission\.py", "decode"),
        (r":(encode|serialize)\w*$|/outbox/outbox\.py|/contracts/envelope\.py|/event_messages\.py|/views/redaction\.py", "encode"),
        (r"/services/\w+/domain/|/services/\w+/channels/|/shared/procedures/|/cel\w*/", "decide"),
        (r"/services/\w+/|/limits/skeleton_service\.py", "application"),
        (r"/shared/runtime/|/prometheus_client/|/structlog/", "runtime"),
    )
)


def layer_of(frames: Iterable[str]) -> str:
    """The layer of a stack, whose frames are `file:function` from the innermost one outwards."""
    for frame in frames:
        for pattern, layer in _RULES:
            if pattern.search(frame):
                return layer
    return "runtime"
