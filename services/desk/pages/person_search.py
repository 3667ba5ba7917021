"""Search by a complainant's phone number: sla compares keyed hashes, decides whether the person may, and records it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.desk.forms import first, read_form
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.inbox_page import list_values
from services.desk.session import Session, signed_in, writing
from services.desk.storage.inbox_queries import load_cases

_MAX_PHONE = 40
_MAX_CASES = "200"


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /people` and `POST /people`."""
    routes = APIRouter()

    @routes.get("/people", name="person_search")
    async def show_form(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The form."""
        return dependencies.pages.render(request, "people.html", session, searched=False)

    # A body, not a query: proxies and browsers keep addresses, and a phone number is personal data.
    @routes.post("/people", name="find_person")
    async def find(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """The cases of a number that the person may see; the number itself is not shown again."""
        phone = first(await read_form(request), "phone").strip()[:_MAX_PHONE]
        if not phone or not phone.isprintable() or not phone.isascii():
            return dependencies.pages.render(request, "people.html", session, 422, searched=False, fault="people.no_phone")
        answer = await dependencies.services.request(
            "GET", "sla", "/v1/cases", session.token, headers={"Complainant-Phone": phone}, params={"limit": _MAX_CASES}
        )
        ids = [str(case["case"]) for case in answer.json()["cases"]]
        async with dependencies.database.transaction() as tx:
            rows = await load_cases(tx, ids, dependencies.viewer(session))
        values: dict[str, Any] = list_values(dependencies, rows)
        return dependencies.pages.render(request, "people.html", session, searched=True, **values)

    return routes
