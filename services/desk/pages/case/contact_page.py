"""Contact data of a case's complainant: who may see them states why, and sla records it; the desk keeps and logs none."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from services.desk.application.service_client import ServiceRefusedError
from services.desk.forms import first, read_form
from services.desk.pages.case.visible_case import require_visible
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in, writing

CONTACT_FIELDS = ("name", "phone", "email", "address")
_SHORTEST_REASON, _LONGEST_REASON = 2, 500


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /cases/{case}/contact` and `POST /cases/{case}/contact`."""
    routes = APIRouter()
    services = dependencies.services

    async def show(request: Request, session: Session, case: str, status: int = 200, **outcome: Any) -> Response:
        reading = await require_visible(dependencies, session, case)
        shown: dict[str, Any] = {"row": reading.row, "fields": CONTACT_FIELDS, "unmaskings": [], "values": {}, "fault": "", "refusal": ""}
        try:
            answer = await services.get("sla", f"/v1/cases/{quote(case, safe='')}/unmaskings", session.token)
            shown["unmaskings"] = answer["unmaskings"]
        except ServiceRefusedError as error:
            status, shown["refusal"] = error.status, error
        return dependencies.pages.render(request, "case/contact.html", session, status, **{**shown, **outcome})

    @routes.get("/cases/{case}/contact", name="case_contact")
    async def show_form(case: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The form, and who saw contact data before; 403 for anyone who may not see any."""
        return await show(request, session, case)

    @routes.post("/cases/{case}/contact", name="unmask_contact")
    async def unmask(case: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """The chosen data, this once: the page is not stored, and a person who comes back asks again."""
        await require_visible(dependencies, session, case)
        form = await read_form(request)
        chosen, reason = [name for name in CONTACT_FIELDS if name in form.get("field", [])], first(form, "reason").strip()
        if not chosen or not _SHORTEST_REASON <= len(reason) <= _LONGEST_REASON:
            fault = "contact.no_reason" if chosen else "contact.no_field"
            return await show(request, session, case, HTTPStatus.UNPROCESSABLE_ENTITY, fault=fault)
        body = {"fields": chosen, "reason": reason}
        try:
            answer = await services.post("sla", f"/v1/cases/{quote(case, safe='')}/unmask", session.token, body)
        except ServiceRefusedError as error:
            return await show(request, session, case, error.status, refusal=error)
        return await show(request, session, case, values=answer["values"])

    return routes
