"""Escalations to acknowledge, and a group with one action on its members."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from shared.contracts.events.clocks import Escalated
from shared.contracts.events.triage import Routed
from tests.integration.desk.conftest import CSRF, START, DeskProbe, registration

ENGLISH = {"Accept-Language": "en"}
GROUP = "same_policy/3号楼?a=1"
ADDRESS = "/groups/same_policy%2F3%E5%8F%B7%E6%A5%BC%3Fa%3D1"
MEMBERS = ["one", "two", "water", "accused"]


class Services:
    """Answers as triage and sla do, and keeps the actions that it was asked for."""

    def __init__(self) -> None:
        self.actions: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.raw_path.decode().partition("?")[0])
        if path.startswith("/v1/groups/"):
            return self._group(path.removeprefix("/v1/groups/"))
        self.actions.append(request)
        if "/two/" in path:
            return httpx.Response(409, json={"title": "refused", "detail": "the case has no lead", "clause": "3.6"})
        return httpx.Response(200, json={"accepted": True})

    def _group(self, group: str) -> httpx.Response:
        if group != GROUP:
            return httpx.Response(404, json={"title": "there is no such group"})
        members = [
            {"case": case, "received_at": "", "department": "lifts", "class": "batch", "reclassified": True, "linked_as": "group"}
            for case in MEMBERS
        ]
        alarm = {"at": "2026-09-24T08:00:00+08:00", "case": "one", "size": 3}
        fields = {"group": group, "procedure": "shop", "count": "same_policy", "clause": "5.1", "key": "P-7", "dissolved_at": None}
        return httpx.Response(200, json={**fields, "alarm": alarm, "size": 5, "members": members, "next_cursor": None, "history": []})


def escalated(case: str, clause: str = "4.8", rung: int = 1) -> Escalated:
    fields = {"procedure": "shop", "version": 3, "clock": "answer", "round": 1, "clause": clause, "recipients": ["he"]}
    return Escalated(case=case, at=START, rung=rung, **fields)


@pytest.fixture
async def services(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> Services:
    events: list[Any] = []
    for case, department, against in (("one", "lifts", []), ("two", "lifts", []), ("water", "water", []), ("accused", "lifts", ["wang"])):
        events += [registration(case, against=against), Routed(case=case, at=START, procedure="shop", version=3, department=department)]
        events += [escalated(case), escalated(case, "4.9", 2)]
    await desk.apply([*events, registration("calm")])
    answers = Services()
    client = httpx.AsyncClient(transport=httpx.MockTransport(answers))
    monkeypatch.setattr(desk.service.app.state.dependencies.services, "_http", client)
    return answers


def chosen(page: str) -> list[str]:
    return re.findall(r'name="case" value="([^"]+)"', page)


async def test_escalations_show_clause_and_person_and_nothing_of_the_accused(desk: DeskProbe, services: Services) -> None:
    desk.sign_in("he")
    page = (await desk.browser.get("/escalations", headers=ENGLISH)).text
    assert set(chosen(page)) == {"one", "two", "accused"}
    assert page.count("4.9 answer") == 3
    assert "4.8" not in page
    assert "何总" in page
    desk.sign_in("wang")
    assert set(chosen((await desk.browser.get("/escalations")).text)) == {"one", "two"}
    sent = {"csrf": CSRF, "form": "f", "action": "acknowledge", "case": ["one", "accused"]}
    await desk.browser.post("/bulk", data=sent)
    assert [json.loads(request.content) for request in services.actions] == [{"action": "acknowledge", "data": {}}]


async def test_group_shows_its_members_and_those_whom_the_person_sees_are_acted_on(desk: DeskProbe, services: Services) -> None:
    desk.sign_in("wang")
    page = (await desk.browser.get(ADDRESS, headers=ENGLISH)).text
    assert set(chosen(page)) == {"one", "two"}
    assert "Members that do not concern you are left out" in page
    assert f'action="/desk{ADDRESS}"' in page
    sent = {"csrf": CSRF, "form": "f", "action": "answer", "text": "已安排检修", "case": MEMBERS}
    acted = await desk.browser.post(ADDRESS, data=sent, headers=ENGLISH)
    assert acted.status_code == 200
    assert acted.text.count(">accepted<") == 1
    assert "the case has no lead 3.6" in acted.text
    assert sorted(request.headers["idempotency-key"] for request in services.actions) == ["f:one", "f:two"]
    assert json.loads(services.actions[0].content) == {"action": "answer", "data": {"text": "已安排检修"}}


async def test_forms_of_several_cases_ask_whoever_holds_several_roles_in_which_he_acts(desk: DeskProbe, services: Services) -> None:
    desk.sessions.session = replace(desk.sign_in("li"), roles=("assistant", "supervisor"))
    for path in ("/escalations", ADDRESS):
        page = (await desk.browser.get(path)).text
        assert re.findall(r'<option value="(assistant|supervisor)"', page) == ["assistant", "supervisor"]
    sent = {"csrf": CSRF, "form": "f", "action": "urge", "role": "supervisor", "case": ["one"]}
    await desk.browser.post(ADDRESS, data=sent)
    assert json.loads(services.actions[0].content) == {"action": "urge", "role": "supervisor", "data": {}}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"action": "answer", "case": "one"}, "Text: fill it in."),
        ({"action": "assign", "case": "one", "text": "x"}, "Assign to: choose a person."),
        ({"action": "reassign", "case": "one", "department": " "}, "Department: choose one."),
        ({"action": "answer", "text": "x"}, "Select at least one member"),
        ({"action": "close", "case": "one"}, "Select at least one member"),
    ],
)
async def test_wrong_input_of_a_group_is_named_and_nothing_is_sent(
    desk: DeskProbe, services: Services, data: dict[str, str], text: str
) -> None:
    desk.sign_in("he")
    answer = await desk.browser.post(ADDRESS, data={"csrf": CSRF, "form": "f", **data}, headers=ENGLISH)
    assert answer.status_code == 422
    assert text in answer.text
    assert services.actions == []


async def test_unknown_group_has_no_page(desk: DeskProbe, services: Services) -> None:
    desk.sign_in("li")
    for path in ("/groups/none", "/groups/%2e%2e", "/groups/%00"):
        assert (await desk.browser.get(path)).status_code == 404
    assert (await desk.browser.post(ADDRESS, data={"action": "urge", "case": "one"})).status_code == 403
    assert services.actions == []
