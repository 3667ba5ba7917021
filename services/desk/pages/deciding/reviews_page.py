"""The review queue: what triage was not sure of, with its best guesses and why; sla lists and decides with the person's token."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from services.desk.application.service_client import ServiceRefusedError
from services.desk.domain.review_decision import best_guesses, review_decision
from services.desk.forms import first, read_form
from services.desk.pages.deciding.access import case_label, may_decide, require_deciding
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.session import Session, signed_in, writing
from shared.contracts.complaint import ComplaintKind
from shared.runtime.clock import uuid7

PAGE_SIZE = 20
_FILTERS = ("department", "reason")
_EVIDENCE = frozenset({"classified", "reclassified", "routed", "route_proposed"})
_MAX_CURSOR = 1000
_KINDS: tuple[str, ...] = ComplaintKind.__args__  # type: ignore[attr-defined] # a Literal


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /reviews`, `POST /reviews/{case}` and `GET /reviews/{case}/why`."""
    routes = APIRouter()
    services, pages = dependencies.services, dependencies.pages
    pages.restrict("reviews", lambda session: may_decide(dependencies, session))

    async def show_queue(request: Request, session: Session, status: int = 200, **outcome: Any) -> Response:
        chosen = {name: request.query_params[name] for name in _FILTERS if request.query_params.get(name)}
        page = await services.get("sla", "/v1/reviews", session.token, chosen | _page_parameters(request))
        shown: dict[str, Any] = {
            "reviews": [{**row, "best": best_guesses(row["guesses"])} for row in page["reviews"]],
            "next_cursor": page["next_cursor"] or "",
            "chosen": chosen,
            "new_id": uuid7,
            "kinds": _KINDS,
            "regulations": dependencies.regulations,
            "departments": dependencies.organisation.departments,
            # The address of a decision is none to go back to after a change of language.
            "here": url_for(request, "reviews"),
            **dict.fromkeys(("outcome", "decided", "reason", "clause"), ""),
            **outcome,
        }
        if decided := outcome.get("decided"):
            shown["decided"] = await case_label(dependencies, session, decided)
        return pages.render(request, "deciding/reviews.html", session, status, **shown)

    @routes.get("/reviews", name="reviews")
    async def list_reviews(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The open reviews that concern the person, oldest first; 404 for anyone who decides nothing."""
        require_deciding(dependencies, session)
        return await show_queue(request, session)

    @routes.post("/reviews/{case}", name="decide_review")
    async def decide_review(case: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Take the review, give it back, or decide; the queue comes again with the outcome."""
        require_deciding(dependencies, session, case)
        fields = await read_form(request)
        step, path = first(fields, "step"), f"/v1/reviews/{quote(case, safe='')}"
        try:
            if step in ("take", "release"):
                await services.request("POST", "sla", f"{path}/{step}", session.token)
            else:
                body = review_decision({name: first(fields, name) for name in fields})
                await services.post("sla", path, session.token, body, f"desk {first(fields, 'form')[:100]}")
        except ServiceRefusedError as refusal:
            refused = {"outcome": "refused", "decided": case, "reason": refusal.reason, "clause": refusal.clause}
            return await show_queue(request, session, refusal.status, **refused)
        return await show_queue(request, session, outcome=step if step in ("take", "release") else "decided", decided=case)

    @routes.get("/reviews/{case}/why", name="review_why")
    async def show_why(case: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The rules, clauses and evidence by which triage decided or proposed, as sla shows them to this person."""
        require_deciding(dependencies, session, case)
        found = await services.get("sla", f"/v1/cases/{quote(case, safe='')}", session.token)
        events = [event for event in found["events"] if event["event"] in _EVIDENCE]
        return pages.render(
            request, "deciding/why.html", session, case=case, number=found["number"], procedure=found["procedure"], events=events
        )

    return routes


def _page_parameters(request: Request) -> dict[str, str]:
    cursor = request.query_params.get("cursor", "")[:_MAX_CURSOR]
    return {"limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
