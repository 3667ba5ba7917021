"""Applies the records of a batch within its transaction and finds the failing ones by bisection behind savepoints."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from shared.runtime.database.bisection import apply_or_bisect
from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters import parking, store
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import FailedRecord, ReceivedRecord
from shared.runtime.process.failures import fault_signature, redacted_reason
from shared.runtime.processing import inbox
from shared.runtime.tracing.context import Activity, working_on

BatchHandler = Callable[[Transaction, Sequence[ReceivedRecord]], Awaitable[None]]
log = structlog.get_logger(__name__)


@dataclass
class BatchResult:
    """The records of a batch that failed: by bad input of their sender, or by faults of ours, one for each case that they parked."""

    bad_input: list[FailedRecord] = field(default_factory=list)
    by_fault: list[FailedRecord] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Applier:
    """Claims ids and calls the service's handler; `on_repeated` gets the records whose ids were claimed before."""

    def __init__(self, handler: BatchHandler, on_repeated: BatchHandler | None = None) -> None:
        self._handler = handler
        self._on_repeated = on_repeated

    async def apply_all(self, tx: Transaction, records: Sequence[ReceivedRecord]) -> None:
        """Apply all records in one handler call; those of parked cases wait. Raises what the handler raises."""
        parked = await parking.parked_keys(tx, {record.key for record in records})
        # A waiting record claims its id when it is applied after the release; claimed now, it would count as a repeat then.
        await parking.insert_waiting(tx, [record for record in records if record.key in parked])
        to_apply = [record for record in records if record.key not in parked]
        new_records = await inbox.claim(tx, to_apply)
        if new_records:
            # Log lines about several records belong to none of them.
            with working_on(new_records[0].activity if len(new_records) == 1 else Activity()):
                await self._handler(tx, new_records)
        if self._on_repeated is not None and len(new_records) < len(to_apply):
            # By object: a batch may hold the same id twice, of which the first is new.
            new = {id(record) for record in new_records}
            await self._on_repeated(tx, [record for record in to_apply if id(record) not in new])

    async def bisect_failures(self, tx: Transaction, records: Sequence[ReceivedRecord], result: BatchResult) -> None:
        """Apply the records; those that fail become dead letters."""

        async def fail(record: ReceivedRecord, error: Exception) -> None:
            await send_to_dead_letters(tx, record, error, result)

        await apply_or_bisect(tx, records, partial(self.apply_all, tx), fail)


async def send_to_dead_letters(tx: Transaction, record: ReceivedRecord, error: BaseException, result: BatchResult) -> int:
    """Store the record as a dead letter and park its case, unless the error states `park=False`; returns the letter's id."""
    failure = FailedRecord(record.raw, redacted_reason(error), record.sender)
    [letter] = await store.insert_dead_letters(tx, [failure])
    park = error.park if isinstance(error, Rejected) else True
    if park:
        await parking.park(tx, record.key, letter)
    if isinstance(error, Rejected):
        result.bad_input.append(failure)
    else:
        result.by_fault.append(failure)
        result.faults.append(fault_signature(error))
    with working_on(record.activity):
        log.error(
            "record became a dead letter", letter=letter, parked=park, reason=failure.reason, topic=record.topic, offset=record.offset
        )
    return letter
