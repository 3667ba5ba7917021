"""Keeps a process's memory of texts the same as the table, under the lock of their procedure, and stores what it adds."""

import asyncio
from collections.abc import Iterable
from functools import partial

from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.event_assessment import AssessedEvent
from services.triage.domain.similar.event_finding import EventFinder, IndexKey, index_key
from services.triage.domain.similar.event_index import EventIndex
from services.triage.storage import similar_texts
from shared.runtime.database.database import Transaction

_PAGE = 500


class SimilarEvents:
    """The texts of the procedures that this process decides under; any process may add some, one at a time for a scope."""

    def __init__(self) -> None:
        self._finder = EventFinder()

    async def follow(self, tx: Transaction, rules: Iterable[TriageRules]) -> None:
        """Learn what other processes remembered since; the caller holds the locks of these rules' scopes."""
        entries = {index_key(each.procedure.id, entry): entry for each in rules for entry in each.similar_entries}
        for key, entry in entries.items():
            await _follow(tx, key, self._finder.index(key[0], entry))

    def find(self, assessed: AssessedEvent) -> AssessedEvent:
        """The event with the events that its case describes in other words."""
        return self._finder.find(assessed)

    async def save(self, tx: Transaction) -> None:
        """Store what this transaction's events added, and forget what no one remembers."""
        for key, index in self._finder.indexes.items():
            # Only an index that this transaction holds the lock of has changes: `follow` undid those of a failed one.
            if index.added and tx is index.owner:
                await similar_texts.insert(tx, key, index.added)
                await similar_texts.delete_before(tx, key, index.oldest)
                tx.after_commit(partial(_confirm, index, tx))


def _confirm(index: EventIndex, owner: object) -> None:
    # The next batch may hold the lock before the commit's callbacks run: it has read the stored texts then.
    if index.owner is owner:
        index.confirm()


async def _follow(tx: Transaction, key: IndexKey, index: EventIndex) -> None:
    index.undo()
    index.owner = tx
    index.forget_before(await similar_texts.find_oldest(tx, key))
    index.confirm()
    while texts := await similar_texts.find_after(tx, key, index.last_number, _PAGE):
        for text in texts:
            index.add(text)
        index.confirm()
        # 100,000 texts take seconds: the process must answer its probes and keep its place in the consumer group.
        await asyncio.sleep(0)
