"""The inbox: who sees what, in which order, with filters, search, saved views and actions on several cases."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.desk.application.service_client import ServiceClient
from services.desk.config import DeskSettings
from shared.contracts.events.clocks import ClockStarted
from shared.contracts.events.from_work_to_closing import Closed
from shared.contracts.events.triage import Routed
from shared.contracts.events.up_to_approval import Assigned
from tests.integration.desk.conftest import CSRF, DEPARTMENTS, PEOPLE, START, DeskProbe, desk_probe, registration
from tests.support.messaging.sample_organisation import write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.databases import Databases
from tests.support.servers.topics import fresh_prefix

HOUR = timedelta(hours=1)


def case_events(case: str, department: str = "", due_hours: int | None = None, **fields: Any) -> list[Any]:
    events: list[Any] = [registration(case, **fields)]
    if department:
        events.append(Routed(case=case, at=START, procedure="shop", version=3, department=department))
    if due_hours is not None:
        due_at = START + due_hours * HOUR
        events.append(ClockStarted(case=case, at=START, procedure="shop", version=3, clock="answer", round=1, due_at=due_at))
    return events


async def listed(desk: DeskProbe, query: str = "") -> list[str]:
    answer = await desk.browser.get(f"/{query}", headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    return re.findall(r'name="case" value="([^"]+)"', answer.text)


CASES = [
    *case_events("late", "lifts", 1, text="三号楼电梯停运"),
    *case_events("later", "lifts", 500_000, text="Lift makes noise"),
    *case_events("undated", "lifts", text="电梯异响"),
    *case_events("water", "water", 2, text="三号楼漏水"),
    *case_events("unrouted", text="无人负责"),
    *case_events("accused", "lifts", 3, text="电梯维修员态度差", against=["wang"]),
    *case_events("ended", "lifts", text="电梯旧投诉"),
    Closed(case="ended", at=START + HOUR),
    Assigned(case="later", at=START + HOUR, person="wang"),
]


@pytest.fixture(scope="module")
async def filled(bootstrap_servers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DeskProbe]:
    """One desk for the tests of this module that add no events."""
    url = await databases.create_migrated()
    organisation = write_organisation(tmp_path_factory.mktemp("desk"), people=PEOPLE, departments=DEPARTMENTS)
    settings = SettingsFactory(bootstrap_servers, url, fresh_prefix())(DeskSettings, organisation=organisation, desk_path="/desk")
    async with desk_probe(settings) as probe:
        await probe.apply(CASES)
        yield probe
    await databases.drop(url)


async def test_the_next_due_case_comes_first_and_undated_ones_last(filled: DeskProbe) -> None:
    filled.sign_in("li")
    cases = await listed(filled)
    assert cases[:3] == ["late", "water", "accused"]
    assert set(cases[4:]) == {"undated", "unrouted"}
    assert cases[3] == "later"


async def test_a_department_sees_its_own_cases_and_those_of_no_department(filled: DeskProbe) -> None:
    filled.sign_in("shui")
    assert await listed(filled) == ["water", "unrouted"]


async def test_own_cases_are_those_of_the_viewer_next_due_first(desk: DeskProbe) -> None:
    handled = [Assigned(case=case, at=START + HOUR, person="wang") for case in ("undated", "late", "accused", "water")]
    await desk.apply([*CASES, *handled])
    desk.sign_in("wang")
    assert await listed(desk, "?assigned=me") == ["late", "water", "later", "undated"]
    assert await listed(desk, "?assigned=me&due=late") == ["late", "water"]
    assert await listed(desk, "?assigned=me&due=none") == ["undated"]
    desk.sign_in("he")
    assert await listed(desk, "?assigned=me") == []
    assert await listed(desk, "?assigned=others") == ["late", "accused", "later", "undated"]


@pytest.mark.parametrize("query", ["", "?query=态度差", "?state=all", "?assigned=nobody", "?department=lifts"])
async def test_a_case_about_a_person_is_not_there_for_him(filled: DeskProbe, query: str) -> None:
    filled.sign_in("he")
    assert "accused" in await listed(filled, query)
    filled.sign_in("wang")
    assert "accused" not in await listed(filled, query)


async def test_a_hidden_case_is_in_no_count_and_has_no_page(filled: DeskProbe) -> None:
    filled.sign_in("he")
    assert '<span data-count="open">5<' in (await filled.browser.get("/")).text
    assert (await filled.browser.get("/cases/accused")).status_code == 200
    filled.sign_in("wang")
    page = (await filled.browser.get("/")).text
    assert '<span data-count="open">4<' in page
    assert '<span data-count="mine">1<' in page
    assert (await filled.browser.get("/cases/accused")).status_code == 404


@pytest.mark.parametrize(
    ("query", "cases"),
    [
        ("?state=ended", {"ended"}),
        ("?due=late", {"late", "water", "accused"}),
        ("?due=none", {"undated", "unrouted"}),
        ("?assigned=others", {"later"}),
        ("?department=water", {"water"}),
        ("?procedure=other", set()),
        ("?state=nonsense&due=nonsense", {"late", "later", "undated", "water", "unrouted", "accused"}),
        ("?query=电梯", {"late", "undated", "accused"}),
        ("?query=三号楼 漏水", {"water"}),
        ("?query=LIFT", {"later"}),
        ("?query=电梯&state=all", {"late", "undated", "accused", "ended"}),
        ("?query=电梯&state=ended", {"ended"}),
        ("?query=%25_", set()),
    ],
)
async def test_filters_and_search(filled: DeskProbe, query: str, cases: set[str]) -> None:
    filled.sign_in("li")
    found = await listed(filled, query)
    assert set(found) == cases
    assert len(found) == len(cases)


@pytest.mark.parametrize("query", ["", "query=投诉&state=all", "state=ended", "query=投诉"])
async def test_pages_hold_every_case_once(desk: DeskProbe, query: str) -> None:
    events: list[Any] = []
    for number in range(130):
        events += case_events(f"c{number:03}", "lifts", number // 10 if number % 3 else None, text="投诉内容")
        if number >= 65:
            events.append(Closed(case=f"c{number:03}", at=START))
    await desk.apply(events)
    desk.sign_in("he")
    address, found = f"/?{query}", []
    while address:
        page = (await desk.browser.get(address)).text
        found += re.findall(r'name="case" value="([^"]+)"', page)
        following = re.search(r'rel="next" href="/desk(/\?[^"]+)"', page)
        address = following.group(1).replace("&amp;", "&") if following else ""
    assert len(found) == len(set(found))
    assert len(found) == (130 if "all" in query else 65)


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJpbmZpbml0eSIsICJhXHUwMDAwIl0", "WzEsMl0", "a" * 3000])
async def test_a_cursor_of_no_list_begins_at_the_first_page(filled: DeskProbe, cursor: str) -> None:
    filled.sign_in("li")
    assert len(await listed(filled, f"?cursor={cursor}")) == 6


async def test_htmx_gets_the_list_alone(filled: DeskProbe) -> None:
    filled.sign_in("li")
    text = (await filled.browser.get("/", headers={"HX-Request": "true"})).text
    assert "<html" not in text
    assert 'id="cases"' in text


async def test_a_view_is_saved_listed_and_deleted_for_its_person_alone(filled: DeskProbe) -> None:
    filled.sign_in("li")
    saved = await filled.browser.post("/views", data={"csrf": CSRF, "name": "  My  late ", "query": "due=late&state=open"})
    assert saved.headers["location"] == "/desk/?due=late"
    assert ">My late</a>" in (await filled.browser.get("/")).text
    filled.sign_in("he")
    assert ">My late</a>" not in (await filled.browser.get("/")).text
    filled.sign_in("li")
    await filled.browser.post("/views/delete", data={"csrf": CSRF, "name": "My late"})
    assert ">My late</a>" not in (await filled.browser.get("/")).text


@pytest.mark.parametrize("path", ["/views", "/views/delete", "/bulk"])
async def test_a_write_without_the_sessions_token_is_refused(filled: DeskProbe, path: str) -> None:
    filled.sign_in("li")
    for data in ({}, {"csrf": "another"}):
        answer = await filled.browser.post(path, data={**data, "name": "x", "action": "urge", "case": "late"})
        assert answer.status_code == 403
    assert await filled.rows("SELECT * FROM saved_view") == []


class RecordingSla:
    """Answers as sla does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if "/water/" in request.url.path:
            problem = {
                "type": "urn:jiesu:problem:action_refused",
                "title": "refused",
                "detail": "the department has to sign",
                "clause": "3.6",
            }
            return httpx.Response(409, json=problem)
        if "/undated/" in request.url.path:
            raise httpx.ConnectError("down")
        return httpx.Response(200, json={"accepted": True})


async def test_one_action_on_several_cases_names_each_outcome(filled: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    sla = RecordingSla()
    client = ServiceClient({"sla": "http://sla.test"}, 5, httpx.MockTransport(sla))
    monkeypatch.setattr(filled.service.app.state.dependencies.services, "_http", client._http)
    filled.sign_in("li")
    form = {"csrf": CSRF, "form": "f1", "action": "assign", "person": "wang", "case": ["late", "water", "undated", "late", "no-such"]}
    page = await filled.browser.post("/bulk", data=form, headers={"Accept-Language": "en"})
    assert page.text.count(">accepted<") == 1
    # By the number that people know, and a change of language leads to a page: the address of the outcome takes only the form.
    assert 'href="/desk/cases/late">TS-2026-00001</a>' in page.text
    assert '<input type="hidden" name="back" value="/desk/">' in page.text
    assert "the department has to sign 3.6" in page.text
    assert page.text.count(">no answer<") == 1
    assert "no-such" not in page.text
    late = next(request for request in sla.requests if "/late/" in request.url.path)
    assert late.headers["authorization"] == "Bearer li-token"
    assert late.headers["idempotency-key"] == "f1:late"
    assert late.content == b'{"action":"assign","data":{"person":"wang"}}'


async def test_whoever_holds_several_roles_chooses_the_one_in_which_he_acts(filled: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    sla = RecordingSla()
    client = ServiceClient({"sla": "http://sla.test"}, 5, httpx.MockTransport(sla))
    monkeypatch.setattr(filled.service.app.state.dependencies.services, "_http", client._http)
    filled.sign_in("li")
    assert 'name="role"' not in (await filled.browser.get("/")).text
    filled.sessions.session = replace(filled.sign_in("li"), roles=("assistant", "supervisor"))
    page = (await filled.browser.get("/")).text
    assert re.findall(r'<option value="(assistant|supervisor)"', page) == ["assistant", "supervisor"]
    form = {"csrf": CSRF, "form": "f2", "action": "urge", "role": "supervisor", "case": ["late"]}
    await filled.browser.post("/bulk", data=form)
    assert sla.requests[-1].content == b'{"action":"urge","role":"supervisor","data":{}}'


async def test_a_case_that_the_person_does_not_see_is_not_acted_on(filled: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    sla = RecordingSla()
    client = ServiceClient({"sla": "http://sla.test"}, 5, httpx.MockTransport(sla))
    monkeypatch.setattr(filled.service.app.state.dependencies.services, "_http", client._http)
    filled.sign_in("wang")
    await filled.browser.post("/bulk", data={"csrf": CSRF, "form": "f", "action": "urge", "case": ["accused", "water"]})
    assert sla.requests == []


async def test_an_empty_choice_is_named(filled: DeskProbe) -> None:
    filled.sign_in("li")
    for data, text in (({"action": "urge"}, "Select at least one"), ({"action": "assign", "case": "late"}, "choose a person")):
        answer = await filled.browser.post("/bulk", data={"csrf": CSRF, **data}, headers={"Accept-Language": "en"})
        assert answer.status_code == 422
        assert text in answer.text
