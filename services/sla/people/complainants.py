"""Finds cases by their complainant's exact name or phone, and shows contact data to people who may see them, each time recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.sla.application.case_list import ListCases
from services.sla.application.errors import (
    ContactsSealedError,
    PersonSearchError,
    UnmaskingNotAllowedError,
)
from services.sla.application.keeping.sealed_contacts import SealedContacts
from services.sla.application.queries import CaseQueries
from services.sla.domain.lifecycle.case import Case
from services.sla.storage.case_list import CaseFilter
from services.sla.storage.keeping import unmaskings
from services.sla.storage.keeping.unmaskings import Unmasking
from shared.procedures.access import Actor
from shared.runtime.clock import uuid7

UNMASK = "unmask"
"""The right of a person of the organisation file."""
CONTACT_FIELDS = ("name", "phone", "email", "address")
"""Contact data that can be unmasked; id numbers stay sealed."""
_MAX_FOUND = 50


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """Whom to find: exactly one of both is given."""

    name: str = ""
    phone: str = ""


class Complainants:
    """`contacts` is None where sla has no key of the contact data."""

    def __init__(self, queries: CaseQueries, cases: ListCases, contacts: SealedContacts | None) -> None:
        self._queries = queries
        self._cases = cases
        self._contacts = contacts

    async def search(self, query: PersonQuery, actor: Actor) -> dict[str, Any]:
        """The latest cases of a complainant that concern the actor, with his masked name and phone; raises a `RequestError`."""
        if bool(query.name.strip()) == bool(query.phone.strip()):
            raise PersonSearchError("name, phone: give exactly one of them")
        where = CaseFilter()
        if query.phone:
            where = self._cases.with_phone(where, query.phone, actor)
        elif self._contacts is None:
            self._cases.require_right(actor)
            raise ContactsSealedError
        else:
            where = self._cases.with_person_key(where, self._contacts.name_key(query.name), actor)
        page = await self._cases.page_with_complainants(where, _MAX_FOUND, actor)
        return {"cases": page.rows, "more": page.next_cursor is not None}

    async def unmask(self, case_id: str, fields: list[str], reason: str, actor: Actor) -> dict[str, Any]:
        """The contact data of a case, and the record that the actor saw them, in one transaction; raises a `RequestError`."""
        case = await self._readable(case_id, actor)
        hidden = self._queries.hidden_fields(actor, case, self._queries.clock.now())
        refused = [name for name in fields if {f"complainant.{name}", f"complaint.complainant.{name}", "complainant"} & set(hidden)]
        if refused or (case.complaint.get("complainant") or {}).get("anonymous"):
            # Who asked to stay anonymous stays so for everybody who reads; messages still reach him.
            raise UnmaskingNotAllowedError("fields: are confidential to you on this case, or the complainant is anonymous")
        if self._contacts is None:
            raise ContactsSealedError
        contact = self._contacts.open(case)
        now = self._queries.clock.now()
        record = Unmasking(actor.id, sorted(set(fields)), reason, now)
        async with self._queries.database.transaction() as tx:
            await unmaskings.insert_unmasking(tx, UUID(uuid7()), case.id, record)
        shown = {name: contact.get(name) or "" for name in record.fields}
        return {"case": case.id, "at": now.astimezone(self._queries.zone).isoformat(), "values": shown}

    async def list_unmaskings(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """Recorded views of a case's contact data; raises a `RequestError`."""
        case = await self._readable(case_id, actor)
        async with self._queries.database.transaction() as tx:
            found = await unmaskings.load_unmaskings(tx, case.id)
        zone = self._queries.zone
        entries = [{"person": u.person, "fields": u.fields, "reason": u.reason, "at": u.at.astimezone(zone).isoformat()} for u in found]
        return {"case": case.id, "unmaskings": entries}

    async def _readable(self, case_id: str, actor: Actor) -> Case:
        case = await self._queries.load_visible_case(case_id, actor, self._queries.clock.now())
        if actor.person is None or UNMASK not in actor.person.may:
            raise UnmaskingNotAllowedError("Authorization: needs the right `unmask` of the organisation file")
        return case
