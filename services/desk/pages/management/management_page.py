"""Figures by period with plots, the cases behind each figure, and the figures as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.application.management import ManagementFigures
from services.desk.domain.figures.management_view import ManagementView, parse_figure, parse_view
from services.desk.domain.figures.periods import PERIOD_UNITS, period_label
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.inbox_page import list_values
from services.desk.pages.management.figure_plots import draw_plots
from services.desk.pages.management.figure_tables import GROUP_FIGURES, SHARES, TIMES, comparison, file_columns, file_rows, group_rows
from services.desk.pages.shell.words import translate, translate_known
from services.desk.session import Session, signed_in
from services.desk.storage.figures.figure_sums import GROUPINGS
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.spreadsheets.table_files import MEDIA_TYPES, TableFormat, TableHead, write_table

_MAX_CURSOR = 1000
_FILES: tuple[TableFormat, ...] = ("csv", "xlsx")


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /management`, `GET /management/cases` and `GET /management/figures.{kind}`."""
    routes = APIRouter()
    figures = ManagementFigures(dependencies.database, dependencies.clock, organisation_zone(dependencies.organisation))

    @routes.get("/management", name="management")
    async def show_figures(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The figures of a period beside those of the period before, plots, and tables by group."""
        view, viewer = parse_view(request.query_params, figures.today()), dependencies.viewer(session)
        overview = await figures.overview(view, viewer)
        language = dependencies.pages.reader_language(request)
        t, named = partial(translate, language), _namer(dependencies, request)
        shown: dict[str, Any] = {
            "view": view,
            "units": PERIOD_UNITS,
            "label": partial(period_label, unit=view.unit),
            "choices": await figures.values(viewer),
            "named": named,
            "groupings": GROUPINGS,
            "rows": comparison(overview, view, t),
            "before": overview.before.period,
            "is_incomplete": overview.is_incomplete,
            "is_running": view.following > figures.today(),
            # Names and identifiers of a service may hold any letter: the addresses are made here.
            "query": urlencode(view.as_parameters()),
            "files": _FILES,
            "plots": await asyncio.to_thread(draw_plots, overview, view, language, t),
            "groups": {grouping: group_rows(overview, view, grouping, t, named) for grouping in GROUPINGS},
            "group_heads": [*(figure.name.lower() for figure in GROUP_FIGURES), *SHARES, *TIMES],
        }
        return dependencies.pages.render(request, "management/figures.html", session, **shown)

    routes.include_router(_lists_and_files(dependencies, figures))
    return routes


def _lists_and_files(dependencies: DeskDependencies, figures: ManagementFigures) -> APIRouter:
    routes = APIRouter()

    @routes.get("/management/cases", name="management_cases")
    async def list_cases(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """Exactly the cases that a figure counts, newest receipt first; 404 for a figure that does not exist."""
        figure = parse_figure(request.query_params.get("figure", ""))
        if figure is None:
            raise HTTPException(404)
        view = parse_view(request.query_params, figures.today())
        page = await figures.cases(view, figure, request.query_params.get("cursor", "")[:_MAX_CURSOR], dependencies.viewer(session))
        query = {**view.as_parameters(), "figure": figure.name.lower()}
        shown: dict[str, Any] = {
            **await list_values(dependencies, page.rows),
            "figure": figure.name.lower(),
            "scope": _scope_text(view, _namer(dependencies, request)),
            "query": urlencode(view.as_parameters()),
            "more_query": urlencode({**query, "cursor": page.next_cursor}) if page.next_cursor else "",
        }
        return dependencies.pages.render(request, "management/cases.html", session, **shown)

    @routes.get("/management/figures.{kind}", name="management_file")
    async def download_figures(kind: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The figures of the page as a CSV or Excel file."""
        file_format = next((each for each in _FILES if each == kind), None)
        if file_format is None:
            raise HTTPException(404)
        view = parse_view(request.query_params, figures.today())
        overview = await figures.overview(view, dependencies.viewer(session))
        t, named = partial(translate, dependencies.pages.reader_language(request)), _namer(dependencies, request)
        head = TableHead(t("management.title"), file_columns(t), {})
        file = BytesIO()
        await asyncio.to_thread(write_table, file, file_format, head, list(file_rows(overview, view, t, named)))
        name = quote(f"{head.title}-{period_label(view.period, view.unit)}.{file_format}")
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        headers |= {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(file.getvalue(), media_type=MEDIA_TYPES[file_format], headers=headers)

    return routes


def _namer(dependencies: DeskDependencies, request: Request) -> Callable[[str, str], str]:
    """Names of what cases are counted by in the reader's language; the word that the data holds where no one named it."""
    language, names = dependencies.pages.reader_language(request), dependencies.pages.names

    def named(grouping: str, value: str) -> str:
        if not value:
            return translate(language, "management.none")
        match grouping:
            case "procedure":
                return names.procedure(language, value)
            case "department":
                return names.unit(language, value)
            case "class":
                return names.class_(language, value)
            case _:
                return translate_known(language, grouping, value)

    return named


def _scope_text(view: ManagementView, named: Callable[[str, str], str]) -> str:
    """The period and the cases to which a list is restricted, in words."""
    parts = [period_label(view.period, view.unit)]
    parts += [named("procedure", view.procedure)] if view.procedure else []
    parts += [named(view.dimension, view.value)] if view.dimension else []
    return " · ".join(parts)
