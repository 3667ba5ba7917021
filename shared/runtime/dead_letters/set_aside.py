"""Sets records aside that may count: they are stored without being applied, and their cases are parked until an operator releases them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters import parking, store
from shared.runtime.kafka.record import FailedRecord, ReceivedRecord

_REASON = "set aside, not examined: its sender sent too many bad records; correct the sender, then replay this letter"
_APPLIED = "SELECT id, topic FROM inbox WHERE id = ANY($1::uuid[])"


@dataclass(frozen=True, slots=True)
class SetAsideSplit:
    """A batch, in order: what is applied, and what is set aside or waits behind a record of its case that is."""

    to_apply: list[ReceivedRecord] = field(default_factory=list)
    to_hold: list[ReceivedRecord] = field(default_factory=list)


def split(records: Sequence[ReceivedRecord], limited_senders: Collection[str]) -> SetAsideSplit:
    """Split a batch; a later record of a case must not overtake one that is set aside, of any sender."""
    result = SetAsideSplit()
    held_keys: set[str] = set()
    for record in records:
        if record.sender in limited_senders:
            held_keys.add(record.key)
        (result.to_hold if record.key in held_keys else result.to_apply).append(record)
    return result


async def hold(tx: Transaction, records: Sequence[ReceivedRecord]) -> None:
    """Store the first record of each case as a dead letter that parks it, the others behind it; both are stored once when read again."""
    if not records:
        return
    rows = await tx.fetch(_APPLIED, [record.id for record in records])
    # Read again after its release, a record has been applied or discarded: parking its case once more would help no one.
    applied = {(row["id"], row["topic"]) for row in rows}
    new_records = [record for record in records if (record.id, record.topic) not in applied]
    parked = await parking.parked_keys(tx, {record.key for record in new_records})
    waiting: list[ReceivedRecord] = []
    for record in new_records:
        if record.key in parked:
            waiting.append(record)
            continue
        [letter] = await store.insert_dead_letters(tx, [FailedRecord(record.raw, _REASON, record.sender)])
        await parking.park(tx, record.key, letter)
        parked.add(record.key)
    await parking.insert_waiting(tx, waiting)
