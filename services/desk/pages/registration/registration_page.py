"""Taking a complaint: the form, the caller's earlier cases while he is typed in, the read-back, and the number at once.

Each step is a form sent to the same address, so that the page works without script.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.application.registration.earlier_cases import EarlierCases, find_earlier_cases
from services.desk.application.registration.entry_sources import EntrySource
from services.desk.application.service_client import ServiceRefusedError, ServiceUnavailableError
from services.desk.domain.complaint_form import CHANNEL, RECEIVED_AT, SOURCE, FilledComplaint, FormFault, fill_form, form_fields
from services.desk.forms import FormFields, first, read_form
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in, writing
from shared.contracts.complaint import ComplainantKind, ComplaintKind
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.clock import uuid7

FORM_ID, STEP = "form", "step"
_KINDS: dict[str, tuple[str, ...]] = {"kind": ComplaintKind.__args__, "complainant_kind": ComplainantKind.__args__}  # type: ignore[attr-defined]
_MAX_FORM_ID = 100


class _Registration:
    """The steps of one registration; everything that it keeps is in the form."""

    def __init__(self, dependencies: DeskDependencies) -> None:
        self._dependencies = dependencies
        self._zone = organisation_zone(dependencies.organisation)

    def source(self, session: Session, name: str) -> EntrySource:
        """The source of that id, or the first; 404 where none lists the person, as if there were no such page."""
        sources = self._dependencies.entry_sources.of(session.person)
        chosen = next((source for source in sources if name in ("", source.id)), None)
        if chosen is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return chosen

    def new_values(self, source: EntrySource) -> dict[str, str]:
        """An empty form; its id and the time of receipt stay the same however often it is sent, so that it is registered once."""
        now = self._dependencies.clock.now().astimezone(self._zone)
        return {FORM_ID: uuid7(), RECEIVED_AT: now.strftime("%Y-%m-%dT%H:%M"), CHANNEL: source.channels[0]}

    def values(self, source: EntrySource, fields: FormFields) -> dict[str, str]:
        """The submitted values, by field name."""
        names = [each.name for part in form_fields(source.procedure) for each in part]
        return {FORM_ID: first(fields, FORM_ID)[:_MAX_FORM_ID] or uuid7(), **{name: first(fields, name) for name in names}}

    def filled(self, source: EntrySource, values: dict[str, str]) -> FilledComplaint:
        """The submission of the values."""
        filled = fill_form(source.procedure, values, self._zone)
        if values[CHANNEL] and values[CHANNEL] not in source.channels:
            filled.faults.append(FormFault(CHANNEL, "not_allowed"))
        return filled

    async def earlier(self, session: Session, phone: str) -> EarlierCases | None:
        """The caller's cases; None without a number."""
        return await find_earlier_cases(self._dependencies.services, phone, session.token) if phone.strip() else None

    async def show_form(
        self, request: Request, session: Session, source: EntrySource, values: dict[str, str], faults: Sequence[FormFault] = ()
    ) -> Response:
        """The form with what was filled in and what is wrong with it."""
        front, behind = form_fields(source.procedure)
        shown = {
            **self._shown(source, values),
            "sources": self._dependencies.entry_sources.of(session.person),
            "front": front,
            "behind": behind,
            "faults": {fault.field: fault for fault in faults},
            "first_fault": next((fault.field for fault in faults), ""),
            "earlier": await self.earlier(session, values.get("complainant.phone", "")),
        }
        return self._dependencies.pages.render(request, "registration/form.html", session, 422 if faults else 200, **shown)

    def show_read_back(
        self,
        request: Request,
        session: Session,
        source: EntrySource,
        values: dict[str, str],
        filled: FilledComplaint,
        *,
        is_unanswered: bool,
    ) -> Response:
        """The complaint as it will be registered, for reading it to the caller."""
        asked = [each for part in form_fields(source.procedure) for each in part]
        fields = [each for each in asked if values.get(each.name, "").strip()]
        missing = [each for each in asked if each.name in filled.missing]
        status = HTTPStatus.SERVICE_UNAVAILABLE if is_unanswered else HTTPStatus.OK
        shown = {**self._shown(source, values), "fields": fields, "missing": missing, "is_unanswered": is_unanswered}
        return self._dependencies.pages.render(request, "registration/read_back.html", session, status, **shown)

    async def register(
        self, request: Request, session: Session, source: EntrySource, values: dict[str, str], filled: FilledComplaint
    ) -> Response:
        """The number, or the form with the faults that intake names; the person is recorded as the one who entered it."""
        document = {**filled.submission, SOURCE: source.id}
        try:
            answer = await self._dependencies.services.post("intake", "/v1/complaints", session.token, document, f"desk {values[FORM_ID]}")
        except ServiceRefusedError as refusal:
            faults = [FormFault(fault.field, fault.rule, fault.remedy) for fault in refusal.faults]
            faults = faults or [FormFault("", "refused", refusal.reason)]
            return await self.show_form(request, session, source, values, faults)
        except ServiceUnavailableError:
            # It may have been registered: the same form, sent again, gets the same number.
            return self.show_read_back(request, session, source, values, filled, is_unanswered=True)
        return self._dependencies.pages.render(request, "registration/registered.html", session, answer=answer, source=source)

    def _shown(self, source: EntrySource, values: dict[str, str]) -> dict[str, Any]:
        return {"source": source, "values": values, "form_id": values[FORM_ID], "choices": self._choices(source)}

    def _choices(self, source: EntrySource) -> dict[str, Sequence[str]]:
        return {"channel": source.channels, "choice": ("yes", "no"), **_KINDS}


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET` and `POST /complaints/new`, and `POST /complaints/callers`."""
    routes = APIRouter()
    registration = _Registration(dependencies)
    dependencies.pages.restrict("registration", lambda session: bool(dependencies.entry_sources.of(session.person)))

    @routes.get("/complaints/new", name="registration")
    async def show_form(request: Request, session: Annotated[Session, Depends(signed_in)], source: str = "") -> Response:
        """An empty form for a source that lists the person."""
        chosen = registration.source(session, source)
        return await registration.show_form(request, session, chosen, registration.new_values(chosen))

    @routes.post("/complaints/new", name="register")
    async def take_step(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """The next step: `lookup`, `edit`, `check`, which reads back, or `register`."""
        fields = await read_form(request)
        source = registration.source(session, first(fields, SOURCE))
        values = registration.values(source, fields)
        step = first(fields, STEP)
        if step in ("lookup", "edit"):
            return await registration.show_form(request, session, source, values)
        filled = registration.filled(source, values)
        if filled.faults:
            return await registration.show_form(request, session, source, values, filled.faults)
        if step == "register":
            return await registration.register(request, session, source, values, filled)
        return registration.show_read_back(request, session, source, values, filled, is_unanswered=False)

    @routes.post("/complaints/callers", name="callers")
    async def show_callers_cases(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """The cases of the number that is being typed, as a part of the form; the number is in no address, which proxies log."""
        fields = await read_form(request)
        registration.source(session, first(fields, SOURCE))
        earlier = await registration.earlier(session, first(fields, "complainant.phone"))
        return dependencies.pages.render(request, "registration/earlier.html", session, earlier=earlier)

    return routes
