"""Search by a complainant's whole name or phone number: sla compares keyed hashes, decides whether the person may, and records it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.desk.application.service_client import ServiceRefusedError
from services.desk.forms import first, read_form
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.inbox_page import list_values
from services.desk.session import Session, signed_in, writing
from services.desk.storage.inbox_queries import load_cases

_LONGEST = {"name": 200, "phone": 40}


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /people` and `POST /people`."""
    routes = APIRouter()

    @routes.get("/people", name="person_search")
    async def show_form(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The form."""
        return dependencies.pages.render(request, "people.html", session, searched=False)

    # A body, not a query: proxies and browsers keep addresses, and names and phone numbers are personal data.
    @routes.post("/people", name="find_person")
    async def find(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """The cases of a complainant that the person may see, with his masked name and phone; what was typed is not shown again."""
        query, fault = _query(await read_form(request))
        if fault:
            return dependencies.pages.render(request, "people.html", session, 422, searched=False, fault=fault)
        try:
            answer = await dependencies.services.post("sla", "/v1/people/search", session.token, query)
        except ServiceRefusedError as error:
            # The reason names the missing right, or the setting that the operator has to give sla.
            return dependencies.pages.render(request, "people.html", session, error.status, searched=False, refusal=error)
        found = {str(case["case"]): case.get("complainant") or {} for case in answer["cases"]}
        async with dependencies.database.transaction() as tx:
            rows = await load_cases(tx, list(found), dependencies.viewer(session))
        masked = {case: " ".join(filter(None, (person.get("name"), person.get("phone")))) for case, person in found.items()}
        values: dict[str, Any] = {**await list_values(dependencies, rows), "masked": masked, "more": answer["more"]}
        return dependencies.pages.render(request, "people.html", session, HTTPStatus.OK, searched=True, **values)

    return routes


def _query(fields: dict[str, list[str]]) -> tuple[dict[str, str], str]:
    """The query of sla, or the faults of the form in words."""
    given = {name: first(fields, name).strip() for name in _LONGEST}
    query = {name: text for name, text in given.items() if text}
    if len(query) != 1:
        return {}, "people.one_of_both"
    ((name, text),) = query.items()
    if len(text) > _LONGEST[name] or not text.isprintable() or (name == "phone" and not text.isascii()):
        return {}, f"people.no_{name}"
    return query, ""
