"""Applies the records of a batch within its transaction and finds the failing ones by bisection behind savepoints."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters import parking, store
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import FailedRecord, ReceivedRecord
from shared.runtime.process.failures import fault_signature, is_infrastructure, redacted_reason
from shared.runtime.process.logging import log_context
from shared.runtime.processing import inbox

BatchHandler = Callable[[Transaction, Sequence[ReceivedRecord]], Awaitable[None]]
log = structlog.get_logger(__name__)


@dataclass
class BatchResult:
    """The records of a batch that failed: by bad input of their sender, or by faults of ours, one for each case that they parked."""

    bad_input: list[FailedRecord] = field(default_factory=list)
    by_fault: list[FailedRecord] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Applier:
    """Claims ids and calls the service's handler."""

    def __init__(self, handler: BatchHandler) -> None:
        self._handler = handler

    async def apply_all(self, tx: Transaction, records: Sequence[ReceivedRecord]) -> None:
        """Apply all records in one handler call; those of parked cases wait. Raises what the handler raises."""
        parked = await parking.parked_keys(tx, {record.key for record in records})
        # A waiting record claims its id when it is applied after the release; claimed now, it would count as a repeat then.
        await parking.insert_waiting(tx, [record for record in records if record.key in parked])
        new_records = await inbox.claim(tx, [record for record in records if record.key not in parked])
        if new_records:
            await self._handler(tx, new_records)

    async def bisect_failures(self, tx: Transaction, records: Sequence[ReceivedRecord], result: BatchResult) -> None:
        """Apply the records behind savepoints and halve a failing part until the failing record is alone, which becomes a dead letter."""
        if not records:
            return
        try:
            async with tx.savepoint():
                await self.apply_all(tx, records)
        except Exception as error:
            # After the connection was lost any class of error can arrive here.
            if tx.driver_connection.is_closed() or is_infrastructure(error):
                raise
            if len(records) == 1:
                await send_to_dead_letters(tx, records[0], error, result)
                return
        else:
            return
        half = len(records) // 2
        await self.bisect_failures(tx, records[:half], result)
        await self.bisect_failures(tx, records[half:], result)


async def send_to_dead_letters(tx: Transaction, record: ReceivedRecord, error: BaseException, result: BatchResult) -> int:
    """Store the record as a dead letter and park its case, unless the error says `park=False`; returns the letter's id."""
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
    with log_context(case=record.key, event=str(record.id), trace=record.traceparent):
        log.error(
            "record became a dead letter", letter=letter, parked=park, reason=failure.reason, topic=record.topic, offset=record.offset
        )
    return letter
