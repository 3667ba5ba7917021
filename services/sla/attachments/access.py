"""Lists the stored attachments of a case, and issues addresses to read them to people who may see them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.sla.application.queries import CaseQueries
from services.sla.domain.views.redaction import redact
from services.sla.storage import ledgers
from shared.contracts.attachments import AttachmentKeys, AttachmentReference, ReadGrant, parse_reference
from shared.procedures.access import Actor

_OF_COMPLAINANT = frozenset({"registered", "amended", "supplemented", "urged"})
_MAX_ATTACHMENTS = 1000


@dataclass(frozen=True, slots=True)
class AttachmentAddress:
    """A stored attachment of a case; `url` reads it until `expires_at`, None for one that is confidential to the reader."""

    reference: AttachmentReference
    event: str
    at: str
    url: str | None
    expires_at: datetime


class CaseAttachments:
    """Issues addresses below `base_url`, which reaches intake, that are valid for `lifetime` of real time."""

    def __init__(self, queries: CaseQueries, keys: AttachmentKeys, base_url: str, lifetime: timedelta) -> None:
        self._queries = queries
        self._keys = keys
        self._base_url = base_url.rstrip("/")
        self._lifetime = lifetime

    async def addresses(self, case_id: str, actor: Actor) -> list[AttachmentAddress]:
        """The attachments of the case, oldest first, each once; raises `CaseNotFoundError` for a case that does not concern the actor."""
        now = self._queries.clock.now()
        case = await self._queries.load_visible_case(case_id, actor, now)
        async with self._queries.database.transaction() as tx:
            events = await ledgers.load_events(tx, case_id)
        hidden = self._queries.hidden_fields(actor, case, now)
        # Real time: the demo's clock would use minutes up in milliseconds.
        expires_at = self._queries.clock.real_now() + self._lifetime
        addresses: dict[AttachmentReference, AttachmentAddress] = {}
        for event in events:
            shown = redact(event, hidden)
            readable = not (event["event"] in _OF_COMPLAINANT and reveals_complainant(hidden))
            for reference in stored_references(shown):
                url = self._url(reference, actor, expires_at) if readable else None
                addresses.setdefault(reference, AttachmentAddress(reference, event["event"], event["at"], url, expires_at))
        return list(addresses.values())[:_MAX_ATTACHMENTS]

    def _url(self, reference: AttachmentReference, actor: Actor, expires_at: datetime) -> str:
        grant = ReadGrant(reference.sha256, reference.name, int(expires_at.timestamp()), actor.id)
        return f"{self._base_url}{self._keys.read_path(grant)}"


def stored_references(event: Mapping[str, Any]) -> Iterator[AttachmentReference]:
    """The stored attachments that an event names, its complaint included."""
    for holder in (event, event.get("complaint") or {}, event.get("fields") or {}):
        names = holder.get("attachments") or ()
        yield from (reference for text in names if isinstance(text, str) and (reference := parse_reference(text)) is not None)


def reveals_complainant(hidden: Collection[str]) -> bool:
    """Whether a file of the complainant could reveal what is hidden: his letter is signed, a photograph may show his door."""
    return any(name.removeprefix("complaint.").partition(".")[0] in ("complainant", "text", "attachments") for name in hidden)
