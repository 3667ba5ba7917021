"""Links that triage proposes: a person reads both complaints side by side, and accepts the duplicate or refuses it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError
from services.desk.forms import first, read_form
from services.desk.pages.deciding.access import case_label, may_decide, require_deciding
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.session import Session, signed_in, writing
from services.desk.storage.visibility import visible_cases
from shared.runtime.clock import uuid7

PAGE_SIZE = 20
# Triage takes any link of the two by a person as the decision: two complaints about the same that are no duplicates are a repeat.
DECISIONS = {"accept": "duplicate", "refuse": "repeat"}
SIDE_FIELDS = ("number", "received_at", "channel", "department", "class", "object", "place", "product", "title", "text")
_MAX_CURSOR = 1000


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /proposals` and `POST /proposals/{case}`."""
    routes = APIRouter()
    services, pages = dependencies.services, dependencies.pages
    pages.restrict("proposals", lambda session: may_decide(dependencies, session))

    async def show_list(request: Request, session: Session, status: int = 200, **outcome: str) -> Response:
        cursor = request.query_params.get("cursor", "")[:_MAX_CURSOR]
        parameters = {"limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
        answer = await services.get("triage", "/v1/proposals", session.token, parameters)
        shown: dict[str, Any] = {
            "proposals": answer["proposals"],
            "next_cursor": answer["next_cursor"] or "",
            "side_fields": SIDE_FIELDS,
            "regulations": dependencies.regulations,
            "new_id": uuid7,
            "here": url_for(request, "proposals"),
            **dict.fromkeys(("outcome", "decided", "reason", "clause"), ""),
            **outcome,
        }
        if decided := outcome.get("decided"):
            shown["decided"] = await case_label(dependencies, session, decided)
        return pages.render(request, "deciding/proposals.html", session, status, **shown)

    @routes.get("/proposals", name="proposals")
    async def list_proposals(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The proposals of which both cases concern the person, the latest first; 404 for anyone who decides nothing."""
        require_deciding(dependencies, session)
        return await show_list(request, session)

    @routes.post("/proposals/{case}", name="decide_proposal")
    async def decide_proposal(case: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Link the two cases as the person decided; the list comes again with the outcome."""
        require_deciding(dependencies, session, case)
        fields = await read_form(request)
        kind, to_case = DECISIONS.get(first(fields, "decision")), first(fields, "to_case")
        if kind is None or not to_case:
            return await show_list(request, session, HTTPStatus.UNPROCESSABLE_ENTITY, outcome="incomplete", decided=case)
        async with dependencies.database.transaction() as tx:
            visible = await visible_cases(tx, [case, to_case], dependencies.viewer(session))
        if visible != {case, to_case}:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        role = first(fields, "role")
        body = {"action": "link", **({"role": role} if role else {}), "data": {"case": to_case, "as": kind}}
        key = f"desk {first(fields, 'form')[:100]}"
        try:
            await services.post("sla", f"/v1/cases/{quote(case, safe='')}/actions", session.token, body, key)
        except ServiceRefusedError as refusal:
            refused = {"outcome": "refused", "decided": case, "reason": refusal.reason, "clause": refusal.clause}
            return await show_list(request, session, refusal.status, **refused)
        return await show_list(request, session, outcome="accepted" if kind == "duplicate" else "kept_apart", decided=case)

    return routes
