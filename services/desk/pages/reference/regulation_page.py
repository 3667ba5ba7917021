"""The regulations: a list, and the readable page of each with its entries, scenarios and live figures."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from services.desk.storage.figures.clause_figures import load_clause_figures

_FIGURES_PERIOD: Final = timedelta(days=92)


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /regulations` and `GET /regulations/{procedure}`."""
    routes = APIRouter()
    regulations = dependencies.regulations

    @routes.get("/regulations", name="regulations")
    async def list_regulations(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The procedures of the organisation's sources."""
        language = dependencies.pages.reader_language(request)
        rows = []
        for procedure in sorted(regulations.packs):
            texts = regulations.texts(procedure, language)
            rows.append({"id": procedure, "title": texts.title(texts.procedure.title), "procedure": texts.procedure})
        return dependencies.pages.render(request, "reference/regulations.html", session, rows=rows)

    @routes.get("/regulations/{procedure}", name="regulation")
    async def show_regulation(procedure: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """Clause by clause: what the text asks for, what the system does, scenarios, and figures of the cases that the person sees."""
        if procedure not in regulations.packs:
            raise HTTPException(404)
        # The first reader waits for the explanation and the scenario files; others are served meanwhile.
        page = await asyncio.to_thread(regulations.page, procedure, dependencies.pages.reader_language(request))
        scenarios = await asyncio.to_thread(regulations.scenarios, procedure)
        since = dependencies.clock.now() - _FIGURES_PERIOD
        async with dependencies.database.transaction() as tx:
            figures = await load_clause_figures(tx, procedure, since, dependencies.viewer(session))
        return dependencies.pages.render(
            request, "reference/regulation.html", session, procedure=procedure, page=page, scenarios=scenarios, figures=figures, since=since
        )

    return routes
