"""`GET /v1/groups/{group}` and `GET /v1/proposals`, for people of the organisation."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.triage.api_dependencies import UNKNOWN_GROUP, CursorText, TriageApiDependencies, list_errors_as_problems
from services.triage.application.group_pages import GroupPages
from services.triage.application.link_proposals import LinkProposalList
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME, UNAUTHORIZED
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses

_NO_STORE = {"Cache-Control": "no-store"}
_MAX_ENTRY = 2**63 - 1


class GroupAlarm(BaseModel):
    """The one alarm of a group, event `group_found`; `case` is empty if it does not concern you."""

    at: datetime
    case: str
    size: int = Field(description="members when the group was complete")


class GroupMember(BaseModel):
    """A case of the group; `reclassified`: the class that holds is the group's."""

    case: str
    received_at: datetime
    department: str
    class_: str = Field(alias="class")
    reclassified: bool
    linked_as: str


class GroupHistoryEntry(BaseModel):
    """The state of the group."""

    at: datetime
    event: Literal["group_found", "group_dissolved", "linked", "unlinked"]
    case: str


class GroupAnswer(BaseModel):
    """A group; `key` is empty where fields of the complaint are hidden from you. Cases that do not concern you are left out."""

    group: str
    procedure: str
    count: str
    clause: str
    key: str
    dissolved_at: datetime | None
    alarm: GroupAlarm
    size: int = Field(description="members now, those that do not concern you included")
    members: list[GroupMember] = Field(description="in order of receipt")
    next_cursor: str | None
    history: list[GroupHistoryEntry] = Field(description="the latest entry first")
    next_history: int | None = Field(description="`history_before` of the next page of the history")


class ProposalReason(BaseModel):
    """Why the two may be duplicates: the complainant, and the fields that are the same."""

    procedure: str
    clause: str
    person: Literal["same", "possibly_same"]
    same: list[str]


class ProposalSide(BaseModel):
    """One of the two complaints; fields that are hidden from you are null."""

    case: str
    number: str
    department: str
    class_: str = Field(alias="class")
    received_at: datetime | None
    channel: str | None
    title: str | None
    text: str | None
    object: str | None
    place: str | None
    product: str | None


class ProposalAnswer(BaseModel):
    """A proposed link of `case` to the earlier `to_case`; the later complaint comes first under `sides`.

    Decide by an action on `case`: `link` with `{"case": to_case, "as": "duplicate"}`, or `"as": "repeat"` if it is none. `decision` is
    that kind of link, `unlinked` once it was taken off, empty while the proposal waits.
    """

    case: str
    to_case: str
    kind_of_link: str = Field(alias="as")
    proposed_at: datetime
    decision: str
    reason: ProposalReason
    sides: list[ProposalSide]


class ProposalsAnswer(BaseModel):
    """A page of proposals, the latest first."""

    proposals: list[ProposalAnswer]
    next_cursor: str | None


_GROUP_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": GroupAnswer},
    **problem_responses(*ANY_OPERATION, UNAUTHORIZED, UNKNOWN_GROUP),
}
_PROPOSAL_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": ProposalsAnswer},
    **problem_responses(*ANY_OPERATION, UNAUTHORIZED),
}


def router(dependencies: TriageApiDependencies) -> APIRouter:
    """The routes, each with the bearer token of a person."""
    routes = APIRouter(dependencies=[Depends(BEARER_SCHEME)])
    authenticated = Depends(dependencies.authenticate)
    parts = (dependencies.database, dependencies.cases, dependencies.clock, dependencies.zone)
    groups, proposals = GroupPages(*parts), LinkProposalList(*parts)

    @routes.get("/v1/groups/{group:path}", tags=["groups"], summary="A group of cases", responses=_GROUP_RESPONSES)
    async def get_group(
        group: str,
        actor: Annotated[Actor, authenticated],
        cursor: Annotated[CursorText | None, Query(description="`next_cursor` of the page of members before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        history_before: Annotated[int | None, Query(ge=1, le=_MAX_ENTRY, description="`next_history` of the page before")] = None,
    ) -> JSONResponse:
        """The group's alarm, its members page by page, and what became of it. The id is that in `group_found` and `linked`."""
        with list_errors_as_problems():
            answer = await groups.describe(group.replace("\x00", ""), actor, cursor, limit, history_before)
        return JSONResponse(answer, headers=_NO_STORE)

    @routes.get("/v1/proposals", tags=["proposals"], summary="Links that wait for a person's decision", responses=_PROPOSAL_RESPONSES)
    async def list_proposals(
        actor: Annotated[Actor, authenticated],
        cursor: Annotated[CursorText | None, Query(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        state: Annotated[Literal["open", "decided"], Query()] = "open",
    ) -> JSONResponse:
        """Proposed duplicates, with the reason and both complaints side by side, of which both cases concern you."""
        with list_errors_as_problems():
            answer = await proposals.page(actor, is_open=state == "open", cursor=cursor, limit=limit)
        return JSONResponse(answer, headers=_NO_STORE)

    return routes
