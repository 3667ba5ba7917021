"""The periodic reports of the procedures, as sla keeps them: a list, each report with its lists, and its signature."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceClient, ServiceRefusedError
from services.desk.domain.figures.report_fields import first_day, report_days, report_rows
from services.desk.forms import first, read_form
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.pages.shell.words import translate_known
from services.desk.session import Session, signed_in, writing
from shared.contracts.instants import read_instant
from shared.procedures.access import AccessPolicy, Actor
from shared.runtime.spreadsheets.table_files import MEDIA_TYPES, TableFormat

_FILES: tuple[TableFormat, ...] = ("csv", "xlsx")
_PASSED_HEADERS = ("content-type", "content-disposition", "x-content-type-options")
_REPORT = "/management/reports/{procedure}/{duty}/{day}"


class _ReportPages:
    """Renders reports for their reader."""

    def __init__(self, dependencies: DeskDependencies) -> None:
        self._dependencies = dependencies
        self._policy = AccessPolicy(dependencies.organisation)

    def shown(self, request: Request, report: dict[str, Any]) -> dict[str, Any]:
        language = self._dependencies.pages.reader_language(request)
        signature = report.get("signature") or {}
        return {
            **report,
            "name": report["title_en" if language == "en" else "title"] or report["title"] or report["duty"],
            "days": report_days(report["period"]),
            "day": first_day(report["period"]),
            "owner_name": self._dependencies.regulations.role_name(report["owner"], language),
            "sign_by_text": self._instant(report.get("sign_by")),
            "signed_text": self._instant(signature.get("at")),
        }

    def _instant(self, value: str | None) -> str:
        return self._dependencies.pages.instant(read_instant(value)) if value else ""

    async def render(
        self, request: Request, session: Session, address: tuple[str, str, str], status: int = 200, refused: str = ""
    ) -> Response:
        report = await self._dependencies.services.get("sla", _path(*address), session.token)
        now, language = self._dependencies.clock.now(), self._dependencies.pages.reader_language(request)
        person = Actor(session.person.id, session.person)
        values: dict[str, Any] = {
            "report": self.shown(request, report),
            "fields": report_rows(report.get("figures", {}), partial(translate_known, language, "report")),
            "may_sign": report["state"] == "drafted" and self._policy.holds_role(person, report["owner"], now),
            "files": _FILES,
            "query": urlencode({"procedure": address[0]}),
            "refused": refused,
            "here": url_for(request, "periodic_report", procedure=address[0], duty=address[1], day=address[2]),
        }
        return self._dependencies.pages.render(request, "management/report.html", session, status, **values)


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /management/reports` and below it each report, its document, its lists, and `POST …/sign`."""
    routes = APIRouter()
    regulations, services = dependencies.regulations, dependencies.services
    shown = _ReportPages(dependencies)

    @routes.get("/management/reports", name="periodic_reports")
    async def list_reports(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The reports that the person's role owes or supervises, the latest first."""
        language = dependencies.pages.reader_language(request)
        procedures = {
            name: (texts := regulations.texts(name, language)).title(texts.procedure.title)
            for name, pack in sorted(regulations.packs.items())
            if pack.procedure.duties
        }
        asked = request.query_params.get("procedure", "")
        chosen = asked if asked in procedures else next(iter(procedures), "")
        found = await services.get("sla", f"/v1/reports/{quote(chosen, safe='')}", session.token) if chosen else {"reports": []}
        reports = [shown.shown(request, report) for report in found["reports"]]
        return dependencies.pages.render(request, "management/reports.html", session, reports=reports, procedures=procedures, chosen=chosen)

    @routes.get(_REPORT, name="periodic_report")
    async def show_report(
        procedure: str, duty: str, day: str, request: Request, session: Annotated[Session, Depends(signed_in)]
    ) -> Response:
        """A report with its figures, lists and signature; 404 where the person may not read it."""
        return await shown.render(request, session, (procedure, duty, day))

    @routes.post(f"{_REPORT}/sign", name="sign_report")
    async def sign_report(procedure: str, duty: str, day: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Sign the report with the person's token; it comes again, with the reason where sla refuses."""
        address = (procedure, duty, day)
        try:
            await services.post("sla", f"{_path(*address)}/sign", session.token, {"text": first(await read_form(request), "text").strip()})
        except ServiceRefusedError as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                raise
            return await shown.render(request, session, address, refusal.status, refusal.reason)
        return RedirectResponse(url_for(request, "periodic_report", procedure=procedure, duty=duty, day=day), 303)

    routes.include_router(_files(services))
    return routes


def _files(services: ServiceClient) -> APIRouter:
    routes = APIRouter()

    @routes.get(f"{_REPORT}/document", name="report_document")
    async def download_report(procedure: str, duty: str, day: str, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The whole report as JSON: what a signature covers."""
        answer = await services.request("GET", "sla", _path(procedure, duty, day), session.token)
        name = quote(f"{procedure}-{duty}-{day}.json", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "X-Content-Type-Options": "nosniff"}
        return Response(answer.content, media_type="application/json", headers={**headers, "Cache-Control": "no-store"})

    @routes.get(f"{_REPORT}/lists/{{list_id}}", name="report_list")
    async def download_list(
        procedure: str, duty: str, day: str, list_id: str, request: Request, session: Annotated[Session, Depends(signed_in)]
    ) -> Response:
        """A list of the report as it was then, as a CSV or Excel file."""
        kind: TableFormat = next((each for each in _FILES if each == request.query_params.get("kind")), "csv")
        path = f"{_path(procedure, duty, day)}/lists/{_part(list_id)}"
        answer = await services.request("GET", "sla", path, session.token, headers={"Accept": MEDIA_TYPES[kind]})
        passed = {name: answer.headers[name] for name in _PASSED_HEADERS if name in answer.headers}
        return Response(answer.content, headers={**passed, "Cache-Control": "no-store"})

    return routes


def _path(procedure: str, duty: str, day: str) -> str:
    return f"/v1/reports/{_part(procedure)}/{_part(duty)}/{_part(day)}"


def _part(text: str) -> str:
    # Dots alone would name another address of the service.
    if not text.strip(".") or "\x00" in text:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return quote(text, safe="")
