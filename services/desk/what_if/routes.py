"""The pages of a trial: the form with the regulation's numbers, its progress, its result, and the file of its differences."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError
from services.desk.forms import read_form
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.pages.shell.words import translate
from services.desk.session import Session, signed_in, writing
from services.desk.what_if.number_fields import number_fields
from services.desk.what_if.trial_form import TrialForm
from services.desk.what_if.trial_result import TrialWords
from shared.procedures.numbers.stated_numbers import StatedNumber, stated_numbers
from shared.runtime.spreadsheets.table_files import MEDIA_TYPES, TableHead, write_table

WHAT_IF: Final = "what_if"
"""The right of a person of the organisation file."""
_SHOWN: Final = 200
_WAIT: Final = {"wait": "2"}
_OF_FORM: Final = {"received_from": "first_day", "received_before": "last_day"}


def router(dependencies: DeskDependencies) -> APIRouter:
    """The routes under `/regulations/{procedure}/what-if`."""
    pages = TrialPages(dependencies)
    routes = APIRouter(prefix="/regulations/{procedure}/what-if")

    @routes.get("", name="what_if")
    async def show_form(procedure: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The numbers of the regulation, and last month as the period; 404 for anyone who may not try them."""
        pages.require(procedure, session)
        zone = dependencies.regulations.calendar(procedure).zone
        return pages.form(request, session, procedure, TrialForm.of_last_month(dependencies.clock.now(), zone))

    @routes.post("", name="start_what_if")
    async def start(procedure: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Start the trial and go to its page; a wrong number comes back with the fault at its field."""
        pages.require(procedure, session)
        form = TrialForm.read(await read_form(request))
        return await pages.start(request, session, procedure, form)

    @routes.get("/{run}", name="what_if_run")
    async def show_run(procedure: str, run: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """How far the trial is, or its result."""
        pages.require(procedure, session)
        require_run(run)
        # Most trials take seconds: who has no script sees the result without asking again.
        wait = {} if request.headers.get("hx-request") else _WAIT
        found = await dependencies.services.get("sla", f"/v1/what-if/{run}", session.token, wait)
        return pages.run(request, session, procedure, found)

    @routes.get("/{run}/differences.csv", name="what_if_file")
    async def download(procedure: str, run: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """Every difference as CSV."""
        pages.require(procedure, session)
        require_run(run)
        found = await dependencies.services.get("sla", f"/v1/what-if/{run}", session.token)
        return pages.file(request, procedure, found)

    @routes.post("/{run}/cancel", name="cancel_what_if")
    async def cancel(procedure: str, run: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Cancel the trial and show it."""
        pages.require(procedure, session)
        require_run(run)
        await dependencies.services.post("sla", f"/v1/what-if/{run}/cancel", session.token, {})
        return RedirectResponse(url_for(request, "what_if_run", procedure=procedure, run=run), 303)

    return routes


def require_run(run: str) -> None:
    """404 for what is no id of a trial, and would name another address of sla."""
    try:
        UUID(run)
    except ValueError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None


class TrialPages:
    """Renders the pages of trials."""

    def __init__(self, dependencies: DeskDependencies) -> None:
        self._dependencies = dependencies

    def require(self, procedure: str, session: Session) -> None:
        """404 for an unknown procedure, and for anyone who lacks the right: sla refuses him too."""
        if procedure not in self._dependencies.regulations.packs or WHAT_IF not in session.person.may:
            raise HTTPException(HTTPStatus.NOT_FOUND)

    def form(
        self, request: Request, session: Session, procedure: str, form: TrialForm, faults: Mapping[str, str] | None = None
    ) -> Response:
        """The form; with faults by field as 422."""
        language, regulations = self._dependencies.pages.reader_language(request), self._dependencies.regulations
        texts, t, known = regulations.texts(procedure, language), partial(translate, language), faults or {}
        fields = number_fields(self._numbers(procedure), texts, t, form.numbers, known)
        shown = {"first_day", "last_day", *(field.key for field in fields)}
        values: dict[str, Any] = {
            "procedure": procedure,
            "title": texts.title(texts.procedure.title),
            "others": {name: regulations.texts(name, language) for name in sorted(regulations.packs) if name != procedure},
            "form": form,
            "fields": fields,
            "faults": known,
            "general": [text for name, text in known.items() if name not in shown],
        }
        # The address of a sent form is none to go back to after a change of language.
        values["here"] = url_for(request, "what_if", procedure=procedure)
        return self._dependencies.pages.render(request, "what_if/form.html", session, 422 if known else 200, **values)

    async def start(self, request: Request, session: Session, procedure: str, form: TrialForm) -> Response:
        """Send the order to sla."""
        numbers, t = self._numbers(procedure), partial(translate, self._dependencies.pages.reader_language(request))
        faults = {name: t("what_if.fault.day") for name in form.day_faults()}
        if not form.changed(numbers):
            faults["numbers"] = t("what_if.fault.nothing")
        if faults:
            return self.form(request, session, procedure, form, faults)
        zone = self._dependencies.regulations.calendar(procedure).zone
        version = self._dependencies.regulations.packs[procedure].procedure.version
        try:
            run = await self._dependencies.services.post("sla", "/v1/what-if", session.token, form.order(procedure, version, numbers, zone))
        except ServiceRefusedError as refusal:
            if refusal.status == HTTPStatus.CONFLICT:
                return self.form(request, session, procedure, form, {"": t("what_if.fault.running")})
            if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            return self.form(request, session, procedure, form, _faults_by_field(refusal))
        return RedirectResponse(url_for(request, "what_if_run", procedure=procedure, run=run["run"]), 303)

    def run(self, request: Request, session: Session, procedure: str, run: Mapping[str, Any]) -> Response:
        """The page of a trial of this procedure."""
        words = self._words(request, procedure, run)
        result = run["result"]
        differences = [] if result is None else list(words.differences(run))
        values: dict[str, Any] = {
            "procedure": procedure,
            "title": self._title(request, procedure),
            "run": run,
            "changes": words.changes(run["asked"]),
            "result": result,
            "summary": [] if result is None else words.summary(result),
            "differences": differences[:_SHOWN],
            "more": len(differences) - len(differences[:_SHOWN]) + (0 if result is None else result["more_differences"]),
        }
        return self._dependencies.pages.render(request, "what_if/run.html", session, **values)

    def file(self, request: Request, procedure: str, run: Mapping[str, Any]) -> Response:
        """The differences of a finished trial as a file; 404 for another one."""
        words = self._words(request, procedure, run)
        if run["result"] is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        zone = self._dependencies.regulations.calendar(procedure).zone
        content = BytesIO()
        head = TableHead(self._title(request, procedure), words.columns(), {})
        write_table(content, "csv", head, (row.cells(zone) for row in words.differences(run)))
        headers = {"Content-Disposition": 'attachment; filename="what-if.csv"', "Cache-Control": "no-store"}
        return Response(content.getvalue(), media_type=MEDIA_TYPES["csv"], headers=headers)

    def _words(self, request: Request, procedure: str, run: Mapping[str, Any]) -> TrialWords:
        if run["procedure"] != procedure:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        language = self._dependencies.pages.reader_language(request)
        texts = self._dependencies.regulations.texts(procedure, language)
        return TrialWords(texts, self._numbers(procedure), partial(translate, language))

    def _title(self, request: Request, procedure: str) -> str:
        texts = self._dependencies.regulations.texts(procedure, self._dependencies.pages.reader_language(request))
        return texts.title(texts.procedure.title)

    def _numbers(self, procedure: str) -> list[StatedNumber]:
        regulations = self._dependencies.regulations
        return stated_numbers(regulations.packs[procedure].procedure, regulations.parameters(procedure))


def _faults_by_field(refusal: ServiceRefusedError) -> dict[str, str]:
    """The remedies by the field of the form; without faults the whole answer."""
    fields = {fault.field.removeprefix("numbers."): fault.remedy for fault in refusal.faults}
    return {_OF_FORM.get(name, name): remedy for name, remedy in fields.items()} or {"": refusal.reason}
