"""HTTP API of imports: accepts a file, answers its progress and its report."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from services.intake.api_dependencies import API_KEY_SCHEME, intake_problem
from services.intake.application.parts import IntakeParts
from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage import imports
from services.intake.storage.imports import ImportFile
from services.intake.transports.imports import api_documents
from services.intake.transports.imports.files.unusable_file import UnusableFileError
from services.intake.transports.imports.importing import TEMPORARY_PREFIX, Imports
from services.intake.transports.imports.report import report_suffix, write_report
from services.intake.transports.imports.summary import summary
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import stream_body

_MEDIA_TYPES = {
    ".report.csv": "text/csv",
    ".report.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NO_MAP = SubmissionFault("source", "no_column_map", "add imports to the source in the organisation file")
Name = Annotated[str, Query(max_length=200, description="name of the file, for the report")]
DryRun = Annotated[bool, Query(description="read and check every row, and register nothing")]


def add_routes(app: FastAPI, work: Imports, parts: IntakeParts, accepted: asyncio.Event) -> None:
    """Add the routes; `accepted` is set by each file that waits."""
    router = APIRouter(tags=["imports"], dependencies=[Depends(BEARER_SCHEME), Depends(API_KEY_SCHEME)])

    @router.post("/v1/imports", status_code=202, summary="Import a CSV or Excel file", **api_documents.IMPORT)
    async def import_file(request: Request, name: Name = "", dry_run: DryRun = False) -> Response:
        """Take the file in the body. 202 once it is durable; its rows are registered afterwards, `Location` answers the progress."""
        context = parts.authentication.authenticate_within_rate(request)
        parts.authentication.consume_rate(context, 1)
        if context.source.id not in work.file_maps:
            raise intake_problem("no_column_map", _NO_MAP)
        with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
            path = Path(folder, "upload")
            await _write_body(request, path, parts.settings.max_import_bytes)
            item = await work.accept(path, name, context.source.id, dry_run=dry_run)
        accepted.set()
        return _json(summary(item), 202, {"Location": f"/v1/imports/{item.id}"})

    @router.get("/v1/imports/{import_id}", summary="Progress and result of an import", **api_documents.GET)
    async def get_import(request: Request, import_id: str) -> Response:
        """The numbers of rows done, accepted and refused, the properties found of the file, and the reason of a failure."""
        return _json(summary(await _own_import(work, parts.authentication.authenticate(request), import_id)), 200)

    @router.get("/v1/imports/{import_id}/report", summary="The file with the result of each row", **api_documents.REPORT)
    async def get_report(request: Request, import_id: str) -> Response:
        """A file of the same form: the rows that are done, each with its case number or field, rule and remedy."""
        return await _report(work, await _own_import(work, parts.authentication.authenticate(request), import_id))

    app.include_router(router)


async def _write_body(request: Request, path: Path, max_bytes: int) -> None:
    """Write the body to a file as it arrives; raises HttpProblem for one that is empty or too large."""
    with path.open("wb") as file:
        async for block in stream_body(request, max_bytes):
            file.write(block)
        if not file.tell():
            raise intake_problem("malformed", SubmissionFault("body", "empty", "send the file as the body of the request"))


async def _report(work: Imports, item: ImportFile) -> Response:
    folder = tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX)  # deleted once the answer has been sent
    path = Path(folder.name, "report")
    try:
        form = await write_report(work, item, path)
    except UnusableFileError as error:
        folder.cleanup()
        raise intake_problem("unusable_file", error.fault) from None
    suffix = report_suffix(form)
    return FileResponse(path, media_type=_MEDIA_TYPES[suffix], filename=f"{item.id}{suffix}", background=BackgroundTask(folder.cleanup))


async def _own_import(work: Imports, context: SourceContext, import_id: str) -> ImportFile:
    async with work.database.transaction() as tx:
        item = await imports.find_import(tx, import_id.replace("\x00", ""))
    if item is None or item.source != context.source.id:
        raise intake_problem("not_found", SubmissionFault("id", "unknown", "send the id of an import of this source"))
    return item


def _json(document: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, "application/json")
