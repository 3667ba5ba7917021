"""The matrix role × page × action: each route of the desk has an entry here, and each person of it sees what the policy lets him see."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from services.desk.domain.viewer import Viewers, case_keys
from shared.contracts.events.triage import Routed
from shared.procedures.access import AccessPolicy, Actor, CaseParties
from shared.procedures.loading.loader import load_organisation
from tests.integration.desk.conftest import START, DeskProbe, registration

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "organisation.yaml"
PUBLIC, SIGNED_IN, WRITING = "public", "signed in", "writing"
ROUTES = {
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("GET", "/sign-in/start"): PUBLIC,
    ("GET", "/sign-in/callback"): PUBLIC,
    ("POST", "/sign-in/back-channel-logout"): PUBLIC,
    ("GET", "/signed-out"): PUBLIC,
    ("POST", "/sign-out"): WRITING,
    ("GET", "/static/{digest}/{name}"): PUBLIC,
    ("POST", "/preferences"): PUBLIC,
    ("GET", "/"): SIGNED_IN,
    ("GET", "/changes"): SIGNED_IN,
    ("GET", "/help"): SIGNED_IN,
    ("GET", "/cases/{case}"): SIGNED_IN,
    ("GET", "/cases/{case}/actions/{action}"): SIGNED_IN,
    ("POST", "/cases/{case}/actions/{action}"): WRITING,
    ("GET", "/cases/{case}/clocks"): SIGNED_IN,
    ("GET", "/cases/{case}/complainant"): SIGNED_IN,
    ("GET", "/cases/{case}/contact"): SIGNED_IN,
    ("POST", "/cases/{case}/contact"): WRITING,
    ("GET", "/cases/{case}/evidence"): SIGNED_IN,
    ("GET", "/cases/{case}/messages/{notification}"): SIGNED_IN,
    ("GET", "/cases/{case}/papers"): SIGNED_IN,
    ("GET", "/cases/{case}/papers/{form}"): SIGNED_IN,
    ("GET", "/calculator"): SIGNED_IN,
    ("GET", "/organisation"): SIGNED_IN,
    ("GET", "/regulations"): SIGNED_IN,
    ("GET", "/regulations/{procedure}"): SIGNED_IN,
    ("GET", "/regulations/{procedure}/what-if"): SIGNED_IN,
    ("POST", "/regulations/{procedure}/what-if"): WRITING,
    ("GET", "/regulations/{procedure}/what-if/{run}"): SIGNED_IN,
    ("GET", "/regulations/{procedure}/what-if/{run}/differences.csv"): SIGNED_IN,
    ("POST", "/regulations/{procedure}/what-if/{run}/cancel"): WRITING,
    ("GET", "/people"): SIGNED_IN,
    ("POST", "/people"): WRITING,
    ("GET", "/complaints/new"): SIGNED_IN,
    ("POST", "/complaints/new"): WRITING,
    ("POST", "/complaints/callers"): WRITING,
    ("GET", "/complaints/registered/{case}"): SIGNED_IN,
    ("GET", "/reviews"): SIGNED_IN,
    ("POST", "/reviews/{case}"): WRITING,
    ("GET", "/reviews/{case}/why"): SIGNED_IN,
    ("GET", "/escalations"): SIGNED_IN,
    ("GET", "/groups"): SIGNED_IN,
    ("GET", "/groups/{group:path}"): SIGNED_IN,
    ("POST", "/groups/{group:path}"): WRITING,
    ("GET", "/management"): SIGNED_IN,
    ("GET", "/management/cases"): SIGNED_IN,
    ("GET", "/management/figures.{kind}"): SIGNED_IN,
    ("GET", "/management/reports"): SIGNED_IN,
    ("GET", "/management/reports/{procedure}/{duty}/{day}"): SIGNED_IN,
    ("POST", "/management/reports/{procedure}/{duty}/{day}/sign"): WRITING,
    ("GET", "/management/reports/{procedure}/{duty}/{day}/document"): SIGNED_IN,
    ("GET", "/management/reports/{procedure}/{duty}/{day}/lists/{list_id}"): SIGNED_IN,
    ("GET", "/wallboard"): SIGNED_IN,
    ("GET", "/proposals"): SIGNED_IN,
    ("POST", "/proposals/{case}"): WRITING,
    ("POST", "/bulk"): WRITING,
    ("POST", "/hints/close"): WRITING,
    ("POST", "/views"): WRITING,
    ("POST", "/views/delete"): WRITING,
}
"""Method and path → who gets an answer: anybody, whoever is signed in, or whoever is and sends the token of his page."""
READ_FROM_SERVICES = ("/reviews", "/groups", "/proposals", "/management/reports")
PROBES = {"/live", "/ready", "/startup", "/metrics", "/openapi.json", "/docs", "/redoc", "/docs/oauth2-redirect"}
"""Paths of every service, which the proxy does not serve outside (docs/how-to/production.md)."""
ABOUT: dict[str, dict[str, Any]] = {
    "lifts": {},
    "water": {},
    "": {},
    "against wang": {"against": ["wang"]},
    "against he": {"against": ["何总"]},
}
"""Cases: of a department, of none, about a member of the lifts, about their head by name."""
READERS = {
    "lifts": {"li", "he", "wang"},
    "water": {"li", "shui"},
    "": {"li", "he", "wang", "shui"},
    "against wang": {"li", "he"},
    # Wang reports to He: he would have to judge the person who judges him.
    "against he": {"li"},
}


def served(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of every route, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods or () if method != "HEAD")
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from served(router.routes)
        elif (path := getattr(route, "path", "")) not in PROBES:
            yield "MOUNT", path


def test_every_route_of_the_desk_has_an_entry(desk: DeskProbe) -> None:
    found = {entry for entry in served(desk.service.app.routes) if entry[1] not in PROBES}
    assert found == set(ROUTES), "add a new route to ROUTES, with who may reach it"


@pytest.mark.parametrize("person", [None, "li", "he", "wang", "shui"])
async def test_every_route_obeys_its_entry(desk: DeskProbe, person: str | None) -> None:
    if person is not None:
        desk.sign_in(person)
    for (method, path), entry in ROUTES.items():
        if path == "/changes" and person is not None:
            continue  # an endless answer: its test is in test_live.py
        address = re.sub(r"\{[^}]+\}", "none", path.replace("{action}", "answer"))
        answer = await desk.browser.request(method, address, data={} if method == "POST" else None)
        refused = (
            answer.status_code == 303 and answer.headers["location"].partition("?")[0] == "/desk/sign-in"
        ) or answer.status_code == 401
        if entry == PUBLIC:
            assert not refused, (method, path)
        elif person is None:
            assert refused, (method, path)
        elif entry == WRITING:
            # Whoever is signed in, another site's form has no token of the page.
            assert answer.status_code == 403, (method, path)
        else:
            # 503: what the page shows is read from a service, and none runs here.
            assert answer.status_code in ((200, 404, 503) if path.startswith(READ_FROM_SERVICES) else (200, 404)), (method, path)


async def test_each_person_sees_his_cases_in_every_page_and_no_other(desk: DeskProbe) -> None:
    for name, fields in ABOUT.items():
        department = name if name in ("lifts", "water") else "lifts" if name else ""
        events: list[Any] = [registration(f"case-{number(name)}", text=f"事项{number(name)}", complainant={"anonymous": True}, **fields)]
        if department:
            events.append(Routed(case=f"case-{number(name)}", at=START, procedure="shop", version=3, department=department))
        await desk.apply(events)
    for person, name in product(("li", "he", "wang", "shui"), ABOUT):
        desk.sign_in(person)
        case, may_read = f"case-{number(name)}", person in READERS[name]
        inbox = await desk.browser.get("/?state=all")
        search = await desk.browser.get("/", params={"state": "all", "query": f"事项{number(name)}"})
        page = await desk.browser.get(f"/cases/{case}")
        assert (case in inbox.text, case in search.text, page.status_code == 200) == (may_read,) * 3, (person, name)


def number(name: str) -> int:
    return list(ABOUT).index(name)


def test_read_model_of_the_demo_organisation_shows_what_the_policy_lets_each_person_read() -> None:
    organisation = load_organisation(DEMO)
    policy, viewers, now = AccessPolicy(organisation), Viewers(organisation), datetime.now(UTC)
    departments = ["", organisation.catch_all, *(unit.id for unit in organisation.departments)]
    against: list[frozenset[str]] = [frozenset(), *(frozenset({person.id}) for person in organisation.people)]
    for person, department, accused in product(organisation.people, departments, against):
        parties = CaseParties(department=department, against=accused)
        viewer = viewers.viewer(person, now)
        keys = case_keys(organisation, department, "", (), "")
        seen = (viewer.sees is None or bool(set(viewer.sees) & set(keys))) and not accused & set(viewer.accused_as)
        assert seen == policy.may_read(Actor(person.id, person), parties, now), (person.id, department, accused)
