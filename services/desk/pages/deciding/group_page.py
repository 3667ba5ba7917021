"""A group: the cases that triage counted together, and one action on all of them with the outcome for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from services.desk.application.bulk_actions import MAX_CASES, ActionOutcome, TakeBulkActions
from services.desk.forms import FormFields, first, read_form
from services.desk.pages.case_beginnings import with_beginnings
from services.desk.pages.deciding.access import require_id
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in, writing
from services.desk.storage import visibility
from services.desk.storage.groups.group_members import load_members
from shared.runtime.clock import uuid7

GROUP_ACTIONS = {
    "assign": "person",
    "reassign": "department",
    "answer": "text",
    "report_progress": "text",
    "urge": "",
    "acknowledge": "",
}
"""Action → the field that it needs."""
_FIELDS = ("person", "department", "text")
_OWN_FIELD = {"urge": "text"}
_MAX_CURSOR = 1000


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET` and `POST /groups/{group}`; the id of a group holds slashes."""
    routes = APIRouter()
    bulk = TakeBulkActions(dependencies.services)

    async def show_group(
        group: str,
        request: Request,
        session: Session,
        status: int = 200,
        outcomes: Sequence[ActionOutcome] = (),
        fault: str = "",
        values: FormFields | None = None,
    ) -> Response:
        answer = await _group(dependencies, group, request.query_params.get("cursor", "")[:_MAX_CURSOR], session)
        async with dependencies.database.transaction() as tx:
            ids = [*(member["case"] for member in answer["members"]), *filter(None, [answer["alarm"]["case"]])]
            members = await load_members(tx, ids, dependencies.viewer(session))
        rows = {row["case_id"]: row for row in await with_beginnings(dependencies, list(members.values()))}
        shown: dict[str, Any] = {
            "group": answer,
            "rows": rows,
            "outcomes": outcomes,
            "fault": fault,
            "form_id": uuid7(),
            "actions": GROUP_ACTIONS,
            "people": [person for person in dependencies.organisation.people if person.roles],
            "departments": dependencies.organisation.departments,
            "regulations": dependencies.regulations,
            "values": {name: first(values or {}, name) for name in ("action", "role", *_FIELDS)},
            "path": quote(group, safe=""),
        }
        return dependencies.pages.render(request, "deciding/group.html", session, status, **shown)

    @routes.get("/groups/{group:path}", name="group_page")
    async def get_group(group: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The group; 404 where none of its cases concerns the person."""
        return await show_group(group, request, session)

    @routes.post("/groups/{group:path}", name="group_action")
    async def take_group_action(group: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """One action on the chosen members; a refusal of one does not keep the others from it."""
        fields = await read_form(request)
        action, chosen = first(fields, "action"), fields.get("case", [])[:MAX_CASES]
        needed = GROUP_ACTIONS.get(action)
        if needed is None or not chosen:
            return await show_group(group, request, session, 422, fault="group.nothing", values=fields)
        if needed and not first(fields, needed).strip():
            return await show_group(group, request, session, 422, fault=f"group.no_{needed}", values=fields)
        taken = needed or _OWN_FIELD.get(action, "")
        data = {taken: first(fields, taken).strip()} if taken and first(fields, taken).strip() else {}
        async with dependencies.database.transaction() as tx:
            visible = await visibility.visible_cases(tx, chosen, dependencies.viewer(session))
        cases = [case for case in chosen if case in visible]
        outcomes = await bulk.take(cases, action, data, session.token, first(fields, "form"), first(fields, "role"))
        return await show_group(group, request, session, outcomes=outcomes)

    return routes


async def _group(dependencies: DeskDependencies, group: str, cursor: str, session: Session) -> Any:
    parameters = {"limit": str(MAX_CASES)} | ({"cursor": cursor} if cursor else {})
    return await dependencies.services.get("triage", f"/v1/groups/{quote(require_id(group), safe='')}", session.token, parameters)
