"""The inbox: the open cases that concern the person, next due first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from services.desk.application.bulk_actions import ACTIONS, MAX_CASES, TakeBulkActions
from services.desk.application.inbox import InboxPage
from services.desk.domain.inbox_filter import InboxFilter, parse_filter
from services.desk.forms import first, read_form
from services.desk.pages.case_beginnings import with_beginnings
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.hints import shown_hints
from services.desk.session import Session, signed_in, writing
from services.desk.storage import saved_views
from services.desk.storage.closed_hints import has_closed_hints
from services.desk.storage.inbox_queries import load_cases
from shared.runtime.clock import uuid7

_SOON = timedelta(hours=24)


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /` and `POST /bulk`."""
    routes = APIRouter()
    bulk = TakeBulkActions(dependencies.services)

    def show_outcomes(request: Request, session: Session, status: int = 200, **values: Any) -> Response:
        shown = {"outcomes": [], "rows": {}, "fault": "", **values}
        return dependencies.pages.render(request, "bulk.html", session, status, **shown)

    @routes.get("/", name="inbox")
    async def show_inbox(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """A page of the inbox; htmx gets the list alone."""
        values = await inbox_values(dependencies, request, session)
        partial = request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
        return dependencies.pages.render(request, "inbox_list.html" if partial else "inbox.html", session, **values)

    @routes.post("/bulk", name="bulk_action")
    async def take_bulk_action(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """One action on the chosen cases; the page names the outcome for each."""
        fields = await read_form(request)
        action, person = first(fields, "action"), first(fields, "person").strip()
        chosen = fields.get("case", [])[:MAX_CASES]
        if action not in ACTIONS or not chosen or (action == "assign" and not person):
            fault = "bulk.no_person" if action == "assign" and chosen else "bulk.nothing"
            return show_outcomes(request, session, 422, fault=fault)
        async with dependencies.database.transaction() as tx:
            rows = await load_cases(tx, chosen, dependencies.viewer(session))
        known = {row["case_id"]: row for row in rows}
        cases = [case for case in chosen if case in known]
        data = {"person": person} if action == "assign" else {}
        outcomes = await bulk.take(cases, action, data, session.token, first(fields, "form"), first(fields, "role"))
        return show_outcomes(request, session, outcomes=outcomes, rows=known)

    return routes


async def inbox_values(dependencies: DeskDependencies, request: Request, session: Session) -> dict[str, Any]:
    """Values for the templates of the inbox."""
    chosen = parse_filter(dict(request.query_params))
    viewer = dependencies.viewer(session)
    page = await dependencies.inbox.page(chosen, request.query_params.get("cursor", "")[:1000], viewer)
    async with dependencies.database.transaction() as tx:
        views = await saved_views.list_views(tx, session.person.id)
        is_closed = await has_closed_hints(tx, session.person.id)
    return {
        **await list_values(dependencies, page.rows),
        "chosen": chosen,
        "page": page,
        "query_string": urlencode(chosen.as_parameters()),
        "next_query": urlencode({**chosen.as_parameters(), "cursor": page.next_cursor}) if page.next_cursor else "",
        "views": {name: urlencode(parameters) for name, parameters in views.items()},
        "choices": await dependencies.inbox.open_cases.choices(viewer),
        "counts": await dependencies.inbox.open_cases.counts(viewer, dependencies.feed.version),
        "filters": counter_filters(chosen),
        "hints": [] if is_closed else shown_hints(dependencies, request, session),
        "may_close": True,
    }


async def list_values(dependencies: DeskDependencies, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Values of these rows for the template of a list, without a further page."""
    now = dependencies.clock.now()
    return {
        "rows": [{**row, "urgency": urgency(row["state"], row["due_at"], now)} for row in await with_beginnings(dependencies, rows)],
        "page": InboxPage(list(rows)),
        "next_query": "",
        "people": [person for person in dependencies.organisation.people if person.roles],
        "regulations": dependencies.regulations,
        "form_id": uuid7(),
    }


def counter_filters(chosen: InboxFilter) -> dict[str, str]:
    """Counter → query of the list that it counts."""
    kept = {name: value for name, value in chosen.as_parameters().items() if name in ("procedure", "class", "department")}
    extra: dict[str, dict[str, str]] = {
        "open": {},
        "late": {"due": "late"},
        "today": {"due": "today"},
        "unassigned": {"assigned": "nobody"},
        "mine": {"assigned": "me"},
        "escalated": {"escalated": "yes"},
    }
    return {name: urlencode({**kept, **parameters}) for name, parameters in extra.items()}


def urgency(state: str, due_at: datetime | None, now: datetime) -> str:
    """`late`, `soon` (within a day), `ok`, or `none` without a running deadline: a word, which the colour only repeats."""
    if state != "open" or due_at is None:
        return "none"
    if due_at < now:
        return "late"
    return "soon" if due_at < now + _SOON else "ok"
