"""Stores whom cases concern, as events state it."""

from collections.abc import Iterable

from services.triage.domain.followed_parties import PARTY_EVENTS, parties_after
from services.triage.storage import concerned
from shared.contracts.events.base import CaseEvent
from shared.procedures.access import CaseParties
from shared.runtime.database.database import Transaction


async def follow_parties(tx: Transaction, events: Iterable[CaseEvent]) -> None:
    """Apply the events of `PARTY_EVENTS` among these, in order."""
    relevant = [event for event in events if event.type in PARTY_EVENTS]
    parties = await concerned.find_parties(tx, {event.case for event in relevant})
    for event in relevant:
        parties[event.case] = parties_after(parties.get(event.case, CaseParties()), event)
    await concerned.save_parties(tx, parties)
