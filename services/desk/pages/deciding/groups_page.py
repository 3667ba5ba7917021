"""The groups that triage found, with their members and states, and a search for a member."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response

from services.desk.pages.case_beginnings import with_beginnings
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from services.desk.storage.groups.group_list import GroupPosition, GroupSearch, load_groups

PAGE_SIZE = 20
STATES = ("open", "dissolved", "all")
_MAX_WORDS = 100


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /groups`; a group itself is `group_page`."""
    routes = APIRouter()

    @routes.get("/groups", name="groups")
    async def list_groups(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The groups of which the person sees a member, the latest first; a state or place that is none begins with the open ones."""
        given = request.query_params
        state = given.get("state", "")
        search = GroupSearch(state if state in STATES else "open", given.get("query", "").replace("\x00", "").strip()[:_MAX_WORDS])
        async with dependencies.database.transaction() as tx:
            after = _position(given.get("at", ""), given.get("case", ""))
            found = await load_groups(tx, search, dependencies.viewer(session), after, PAGE_SIZE + 1)
        first = await with_beginnings(dependencies, [each.rows[0] for each in found])
        last = found[PAGE_SIZE - 1].position if len(found) > PAGE_SIZE else None
        kept = {"state": search.state, "query": search.words}
        shown: dict[str, Any] = {
            "groups": found[:PAGE_SIZE],
            "titles": {row["case_id"]: row["title"] or row["beginning"] for row in first},
            "search": search,
            "states": STATES,
            "path_of": lambda group: quote(group, safe=""),
            "next_query": urlencode({**kept, "at": last.at.isoformat(), "case": last.case_id}) if last else "",
        }
        return dependencies.pages.render(request, "deciding/groups.html", session, **shown)

    return routes


def _position(at: str, case: str) -> GroupPosition | None:
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return None
    return GroupPosition(instant, case) if instant.tzinfo is not None and "\x00" not in case else None
