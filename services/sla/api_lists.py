"""HTTP API of sla's lists: a list of a procedure, as JSON, CSV or Excel file."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, cast
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse
from pydantic import Field
from starlette.background import BackgroundTask

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.api_case_list import FilterText, QueryInstant
from services.sla.application.lists.list_queries import BuiltList, ListQueries, ListRequest
from services.sla.domain.lists.list_filter import ListFilter
from shared.contracts.base import StrictModel
from shared.procedures.access import Actor
from shared.runtime.http.accept import preferred_media_type
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.problem import HttpProblem
from shared.runtime.spreadsheets.table_files import MEDIA_TYPES, TableFormat, write_table

_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
_FORMAT_BY_TYPE: dict[str, TableFormat] = {media_type.partition(";")[0]: name for name, media_type in MEDIA_TYPES.items()}


class ListParameters(StrictModel):
    """The period, and filters, which all apply."""

    period: str = Field(
        "", max_length=20, description="2026, 2026-Q3, 2026-09, 2026-W39, a day in it, or all; none: the list's present one"
    )
    language: Literal["zh", "en"] = "zh"
    status: Literal["open", "closed", "refused", "withdrawn"] | None = None
    kind: FilterText | None = None
    class_: FilterText | None = Field(None, alias="class")
    subject: FilterText | None = None
    department: FilterText | None = Field(None, description="the lead department")
    handler: FilterText | None = None
    household: FilterText | None = None
    enterprise: FilterText | None = None
    against: FilterText | None = Field(None, description="a person or unit complained about")
    called_back: bool | None = None
    evaluated: bool | None = None
    overdue: bool | None = Field(None, description="whether a limit was missed whose clock still runs")
    received_from: QueryInstant | None = None
    received_before: QueryInstant | None = None

    def to_request(self, procedure: str, list_id: str) -> ListRequest:
        """The request for a list."""
        filters: dict[str, Any] = {name: getattr(self, name) for name in ListFilter.__dataclass_fields__}
        return ListRequest(procedure, list_id, self.period, ListFilter(**filters), self.language)


def router(dependencies: SlaApiDependencies, lists: ListQueries) -> APIRouter:
    """`GET /v1/lists/{procedure}/{list_id}`."""
    routes = APIRouter(prefix="/v1/lists", tags=["lists"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)

    @routes.get("/{procedure}/{list_id}", summary="A list of cases", response_class=FileResponse, responses=api_documents.LIST)
    async def get_list(
        procedure: str,
        list_id: str,
        request: Request,
        actor: Annotated[Actor, Depends(dependencies.authenticate)],
        parameters: Annotated[ListParameters, Query()],
    ) -> FileResponse:
        """The cases of a list that concern you, all in one snapshot, as JSON, CSV or Excel file by `Accept`."""
        list_format = accepted_list_format(request)
        with request_errors_as_problems():
            built = await lists.build(parameters.to_request(procedure, list_id), actor)
        return await list_response(built, list_format)

    return routes


def accepted_list_format(request: Request) -> TableFormat:
    """The format that the header Accept prefers, JSON among equals; raises `HttpProblem` 406 if it allows none."""
    media_type = preferred_media_type(request.headers.get("accept", ""), tuple(_FORMAT_BY_TYPE))
    if media_type is None:
        raise HttpProblem(api_documents.NOT_ACCEPTABLE, f"Accept: must allow one of {', '.join(_FORMAT_BY_TYPE)}")
    return _FORMAT_BY_TYPE[media_type]


def _write_file(built: BuiltList, list_format: TableFormat) -> Path:
    with tempfile.NamedTemporaryFile(prefix="jiesu-list-", delete=False) as file:
        path = Path(file.name)
        try:
            write_table(cast("BinaryIO", file), list_format, built.head, (cells for _, cells in built.spool.rows()))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            built.spool.close()
    return path


async def list_response(built: BuiltList, list_format: TableFormat) -> FileResponse:
    """The list as a file, which is removed when it has been sent.

    It is written before the answer begins: a slow reader then holds no connection of the pool, and no answer breaks off half-way.
    """
    path = await asyncio.to_thread(_write_file, built, list_format)
    period = built.head.document["period"]
    name = quote(f"{built.head.title}{'' if period is None else '-' + period['from'][:10]}.{list_format}")
    headers = {**_HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return FileResponse(path, media_type=MEDIA_TYPES[list_format], headers=headers, background=BackgroundTask(path.unlink, missing_ok=True))
