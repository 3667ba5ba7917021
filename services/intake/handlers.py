"""The Kafka edge: submissions of contact centres in, a batch a transaction."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from services.intake import metrics
from services.intake.application.registration import Incoming, Outcome, Register, refusal, refused_row
from services.intake.application.sources import Sources
from services.intake.channels import READERS
from services.intake.channels.json_document import parse
from services.intake.domain.submission import case_id
from services.intake.storage import complaints
from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import Received
from shared.runtime.process.scheduling import in_turns
from shared.runtime.service import Service

TYPE = "submission"
VIA = "kafka"


class Arrived(BaseModel):
    """A record's body as JSON; whether it is a complaint is found out by the channel."""

    value: Any

    @property
    def source(self) -> str | None:
        """The source that the body names."""
        named = self.value.get("source") if isinstance(self.value, dict) else None
        return named if isinstance(named, str) else None


def decode(name: str, body: bytes) -> Arrived:
    """Any JSON under the type `submission`. Raises Rejected, or `MalformedError`."""
    if name != TYPE:
        raise Rejected(f"header ce_type is not {TYPE}", park=False)
    return Arrived.model_construct(value=parse(body))


def register(service: Service, sources: Sources, books: Register, largest: int) -> None:
    """Feed submissions to the register; who names no known source is a dead letter, who lacks text or time is refused."""

    async def submissions(tx: Transaction, batch: Sequence[Received]) -> None:
        read = [_read(received, sources, books, largest) async for received in in_turns(batch)]
        await books.enter(tx, [each for each in read if isinstance(each, Incoming)], VIA)
        refused = [(received, each) for received, each in zip(batch, read, strict=True) if isinstance(each, Outcome)]
        await complaints.refuse(tx, [refused_row(each, VIA, _source(received), received.key) for received, each in refused])
        tx.after_commit(lambda: _count(len(batch), [each for _, each in refused]))

    service.subscribe([topics.COMPLAINT_SUBMISSIONS], group="intake", handler=submissions, decode=decode, verify=sources.verify)


def _read(received: Received, sources: Sources, books: Register, largest: int) -> Incoming | Outcome:
    if len(received.body) > largest:
        return refusal("too_large")
    office = sources.of_record(received)
    reading = READERS["json"](received.event.value)
    if reading.submission is None:
        missing = any(fault.rule == "missing" for fault in reading.faults)
        return refusal("missing" if missing else "invalid", *reading.faults)
    submission = reading.submission
    forbidden = books.check(submission, office)
    if forbidden is not None:
        return forbidden
    # Without a reference of the source's own, the record's id at least makes a repeated record the same case.
    reference = submission.external_id or f"record {received.id}"
    case = case_id(office.source.id, submission.channel, reference)
    return Incoming(submission, office, case, sha256(received.body).digest(), received.traceparent)


def _source(received: Received) -> str:
    return received.source or received.event.source or ""


def _count(received: int, refused: Sequence[Outcome]) -> None:
    metrics.RECEIVED.labels(VIA).inc(received)
    for outcome in refused:
        metrics.refused(VIA, outcome.reason)
