"""Lists cases for an actor: filters, pages by cursor, and the same visibility and redaction as for a single case."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import structlog

from services.sla.application.errors import CursorError, PhoneNotAllowedError, PhoneUnreadableError
from services.sla.application.identity import case_parties
from services.sla.application.queries import CaseQueries
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.views import case_view
from services.sla.storage import case_list
from services.sla.storage.case_list import CaseFilter, CasePosition, VisibleCases
from shared.contracts.contact_forms import read_phone
from shared.contracts.person_keys import person_key
from shared.procedures.access import AccessPolicy, Actor

FIND_BY_PHONE = "find_by_phone"
"""The right of a person of the organisation file."""
_CASES_BETWEEN_YIELDS = 20
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CasePage:
    """The rows of a page; `next_cursor` is None on the last one. A page may hold fewer rows than its limit."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


class ListCases:
    """Reads pages of cases, newest first."""

    def __init__(self, queries: CaseQueries, phone_region: str, pseudonym_key: bytes | None) -> None:
        self._queries = queries
        self._phone_region = phone_region
        self._pseudonym_key = pseudonym_key

    def with_phone(self, where: CaseFilter, phone: str | None, actor: Actor) -> CaseFilter:
        """The filter, for the cases of one phone number if there is one; raises a `RequestError` for a number that cannot be used.

        Only the hash of the number is compared, by which intake recognises the person.
        """
        if phone is None:
            return where
        self.require_right(actor)
        if self._pseudonym_key is None:
            raise PhoneUnreadableError(
                "Complainant-Phone: JIESU_PSEUDONYM_KEY is not set for sla; set it to intake's, or use other filters"
            )
        number = read_phone(phone, self._phone_region)
        if number is None:
            raise PhoneUnreadableError("Complainant-Phone: must be a valid phone number; send it with its country or area code")
        log.info("cases are listed by phone number", person=actor.id)
        return replace(where, person_keys=(person_key("phone", number.normal_form, self._pseudonym_key),))

    def with_person_key(self, where: CaseFilter, key: str, actor: Actor) -> CaseFilter:
        """The filter, for the cases with one key of their complainant; raises `PhoneNotAllowedError` without the right to it."""
        self.require_right(actor)
        log.info("cases are listed by name", person=actor.id)
        return replace(where, person_keys=(key,))

    def require_right(self, actor: Actor) -> None:
        """Raise `PhoneNotAllowedError` unless the actor may find cases by their complainant."""
        if actor.person is None or FIND_BY_PHONE not in actor.person.may:
            raise PhoneNotAllowedError

    async def page_with_complainants(self, where: CaseFilter, limit: int, actor: Actor) -> CasePage:
        """The first page, each row with the masked name and phone of its complainant."""
        return await self.page(where, None, limit, actor, with_complainant=True)

    async def page(self, where: CaseFilter, cursor: str | None, limit: int, actor: Actor, *, with_complainant: bool = False) -> CasePage:
        """A page of the cases that concern the actor; raises `CursorError` for a cursor of another list."""
        after = None if cursor is None else decode_cursor(cursor, where)
        now = self._queries.clock.now()
        async with self._queries.database.transaction() as tx:
            found = await case_list.load_page(tx, where, visible_cases(self._queries.policy, actor, now), after, limit)
        rows = []
        for number, (_, case) in enumerate(found, 1):
            # The statement selects by departments and handler; the policy decides, as it does for a single case.
            if self._queries.policy.may_read(actor, case_parties(case), now):
                rows.append(self._row(case, actor, now, with_complainant=with_complainant))
            if number % _CASES_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)
        return CasePage(rows, encode_cursor(found[-1][0], where) if len(found) == limit else None)

    def _row(self, case: Case, actor: Actor, now: datetime, *, with_complainant: bool) -> dict[str, Any]:
        queries = self._queries
        rulebook = queries.rulebooks.for_case(case)
        hidden = queries.hidden_fields(actor, case, now)
        row = case_view.case_row(case, rulebook, to_micros(now), queries.zone, hidden)
        return {**row, **case_view.masked_complainant(case, hidden)} if with_complainant else row


def visible_cases(policy: AccessPolicy, actor: Actor, now: datetime) -> VisibleCases | None:
    """The condition on what the actor may read, so that a statement skips all other cases."""
    departments = policy.readable_departments(actor, now)
    if departments is None:
        return None
    # Cases that no department is responsible for are read by everybody who holds a role; the catch-all is no department.
    return VisibleCases((*sorted(departments), "", policy.organisation.catch_all), tuple(sorted(policy.represented_ids(actor, now))))


def encode_cursor(position: CasePosition, where: object) -> str:
    """The position as opaque text, bound to the filter."""
    parts = [to_micros(position.received_at), position.case_id, _digest(where)]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode_cursor(cursor: str, where: object) -> CasePosition:
    """The position in a cursor; raises `CursorError`. A forged one shows nothing: every row passes the same checks."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise CursorError from None
    match parts:
        case [int(micros), str(case_id), str(digest)] if digest == _digest(where) and "\0" not in case_id:
            try:
                return CasePosition(from_micros(micros), case_id)
            except OverflowError:
                raise CursorError from None
        case _:
            raise CursorError


def _digest(where: object) -> str:
    return hashlib.sha256(orjson.dumps(where)).hexdigest()[:16]
