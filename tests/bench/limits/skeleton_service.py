"""One service without decisions: the inbox, state, timer and outbox transactions of `shared/runtime`, with the records of a real run.

`python -m tests.bench.limits.skeleton_service HOP SHAPE`; the settings are those of a service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import RootModel

from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.outbox import outbox
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service, run_service
from shared.runtime.timers import timers
from shared.runtime.timers.timers import DueTimer
from tests.bench.limits.hops import Hop, RecordShape, hop_of_command_line

CREATE_STATE = "CREATE TABLE {schema}.skeleton_state (case_id text PRIMARY KEY, state bytea NOT NULL)"
_LOCK = "SELECT case_id, state FROM skeleton_state WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE"
_LOCK_DUE = "SELECT case_id FROM skeleton_state WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE SKIP LOCKED"
_SAVE = """
INSERT INTO skeleton_state (case_id, state) SELECT case_id, state FROM unnest($1::text[], $2::bytea[]) AS saved (case_id, state)
ON CONFLICT (case_id) DO UPDATE SET state = excluded.state
"""
_DUE_IN = timedelta(days=3)
FIRED = "fired"


class Skeleton:
    """The transactions of a hop."""

    def __init__(self, hop: Hop, shape: RecordShape, clock: Clock, partitions: int) -> None:
        self._hop = hop
        self._cause = shape.cause(hop)
        self._templates = shape.sent_by(hop)
        self._clock = clock
        self._partitions = partitions

    async def apply(self, tx: Transaction, records: Sequence[ReceivedRecord]) -> None:
        """Lock and store the state of each case, arm its timer, add the records of the hop to the outbox."""
        cases = [uuid7() if self._hop.service == "intake" else record.key for record in records]
        states = dict(sorted((case, record.raw.body or b"") for case, record in zip(cases, records, strict=True)))
        await tx.fetch(_LOCK, list(states))
        await tx.execute(_SAVE, list(states), list(states.values()))
        if self._hop.service == "sla":
            due = self._clock.now() + _DUE_IN
            await timers.arm(tx, {case: (partition_of(case.encode(), self._partitions), due) for case in states})
        await outbox.add(tx, self._messages(cases, records))

    def _messages(self, cases: Sequence[str], records: Sequence[ReceivedRecord]) -> Iterator[CloudEventRecord]:
        now = self._clock.now()
        for case, record in zip(cases, records, strict=True):
            if record.type == self._cause:
                for number, template in enumerate(self._templates):
                    yield CloudEventRecord(
                        topic=template.topic,
                        key=case,
                        id=uuid7(),
                        type=template.type,
                        at=now,
                        body=orjson.dumps({**template.body, "case": case}),
                        source=self._hop.service,
                        sequence=number,
                    )


async def lock_due(tx: Transaction, cases: Sequence[str]) -> Sequence[str]:
    """Lock the cases of due timers."""
    return [row["case_id"] for row in await tx.fetch(_LOCK_DUE, cases)]


async def fire(tx: Transaction, due: Sequence[DueTimer], now: datetime) -> None:
    """Send one event for each timer that fired, with the instant at which it was due, and arm it for another three days."""
    await timers.arm(tx, {timer.case_id: (timer.partition, now + _DUE_IN) for timer in due})
    await outbox.add(tx, (_fired(timer, now) for timer in due))


def _fired(timer: DueTimer, now: datetime) -> CloudEventRecord:
    body = orjson.dumps({"case": timer.case_id, "due": timer.due_at.timestamp()})
    return CloudEventRecord(topic=CASE_EVENTS.name, key=timer.case_id, id=uuid7(), type=FIRED, at=now, body=body, source="sla", sequence=0)


def decode(_: str, body: bytes) -> RootModel[Any]:
    """JSON, decoded once and not validated."""
    return RootModel[Any].model_construct(orjson.loads(body))


def build(hop: Hop, shape: RecordShape) -> Service:
    """The service of a hop."""
    service = Service(hop.service, RuntimeSettings(), f"services.{hop.service}.migrations")
    skeleton = Skeleton(hop, shape, service.clock, service.settings.topic_partitions)
    service.subscribe(hop.reads, group=hop.service, handler=skeleton.apply, decode=decode, event_types=hop.event_types)
    if hop.service == "sla":
        service.add_timers(lock_due, fire)
    return service


if __name__ == "__main__":
    hop, shape = hop_of_command_line()
    run_service(lambda: build(hop, shape))
