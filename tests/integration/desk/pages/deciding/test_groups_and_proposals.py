"""The list of groups, and the proposed duplicates that a person accepts or refuses."""

import json
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from shared.contracts.events.triage import GroupDissolved, GroupFound, Routed
from tests.integration.desk.conftest import CSRF, START, DeskProbe, registration
from tests.integration.desk.test_person_search import answer_with

ENGLISH = {"Accept-Language": "en"}
COMMON: dict[str, Any] = {"at": START, "procedure": "shop", "version": 3}
SIDES = [
    {"case": "one", "number": "TS-1", "department": "lifts", "class": "", "received_at": None, "channel": None, "text": "电梯又停了"},
    {"case": "two", "number": "TS-2", "department": "lifts", "class": "", "received_at": None, "channel": None, "text": "三号楼<电梯>停运"},
]
PROPOSAL = {
    "case": "one",
    "to_case": "two",
    "as": "duplicate",
    "proposed_at": "",
    "decision": "",
    "sides": SIDES,
    "reason": {"procedure": "shop", "clause": "3.6", "person": "same", "same": ["place"]},
}


async def apply_groups(desk: DeskProbe) -> None:
    """An open group of the lifts with a member about its head, a dissolved one, and one of the water alone."""
    for case, department, against in (("one", "lifts", []), ("two", "lifts", []), ("accused", "lifts", ["he"]), ("pipe", "water", [])):
        await desk.apply([registration(case, title=f"title-{case}", against=against), Routed(case=case, department=department, **COMMON)])
    await desk.apply(
        [
            GroupFound(case="two", group="same_place/a b?c", members=["one", "two", "accused"], count=3, key="secret-key", **COMMON),
            GroupFound(case="one", group="ended", members=["one"], count=1, **COMMON),
            GroupDissolved(case="one", group="ended", **COMMON),
            GroupFound(case="pipe", group="water-alone", members=["pipe"], count=1, **COMMON),
        ]
    )


async def listed(desk: DeskProbe, **parameters: str) -> set[str]:
    page = await desk.browser.get("/groups", params=parameters, headers=ENGLISH)
    assert page.status_code == 200, page.text
    names = {"same_place": "/groups/same_place%2Fa", "ended": "/groups/ended", "water": "/groups/water-alone"}
    return {name for name, address in names.items() if address in page.text}


async def test_groups_are_listed_with_state_search_and_the_members_that_the_person_sees(desk: DeskProbe) -> None:
    await apply_groups(desk)
    desk.sign_in("he")
    assert await listed(desk) == {"same_place"}
    assert await listed(desk, state="dissolved") == {"ended"}
    assert await listed(desk, state="all") == {"same_place", "ended"}
    assert await listed(desk, state="all", query="TITLE-two") == {"same_place"}
    # A word of a member that he does not see finds nothing: it would tell him that there is one.
    assert await listed(desk, state="all", query="title-accused") == set()
    page = (await desk.browser.get("/groups", headers=ENGLISH)).text
    assert "title-one" in page
    assert "accused" not in page
    assert "secret-key" not in page
    desk.sign_in("shui")
    assert await listed(desk, state="all") == {"water"}


@pytest.mark.parametrize("parameters", [{"at": "yesterday", "case": "x"}, {"at": "2026-09-24T08:00:00", "case": "x"}, {"state": "none"}])
async def test_a_place_or_state_that_is_none_begins_with_the_open_groups(desk: DeskProbe, parameters: dict[str, str]) -> None:
    await apply_groups(desk)
    desk.sign_in("he")
    assert await listed(desk, **parameters) == {"same_place"}


async def test_pages_of_groups_follow_each_other(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply_groups(desk)
    monkeypatch.setattr("services.desk.pages.deciding.groups_page.PAGE_SIZE", 1)
    desk.sign_in("he")
    assert await listed(desk, state="all") == {"same_place"}
    assert await listed(desk, state="all", at=START.isoformat(), case="two") == {"ended"}


async def test_both_complaints_stand_side_by_side_and_each_decision_goes_to_sla(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply_groups(desk)
    requests = answer_with(desk, monkeypatch, answer_as_services)
    desk.sign_in("he")
    page = await desk.browser.get("/proposals", headers=ENGLISH)
    assert "<td>电梯又停了</td><td>三号楼&lt;电梯&gt;停运</td>" in page.text
    for decision, kind in (("accept", "duplicate"), ("refuse", "repeat")):
        requests.clear()
        sent = {"csrf": CSRF, "decision": decision, "to_case": "two", "form": decision}
        assert (await desk.browser.post("/proposals/one", data=sent)).status_code == 200
        assert requests[0].url.path == "/v1/cases/one/actions"
        assert json.loads(requests[0].content) == {"action": "link", "data": {"case": "two", "as": kind}}
        assert requests[0].headers["idempotency-key"] == f"desk {decision}"


async def test_whoever_holds_several_roles_says_in_which_one_he_decides(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply_groups(desk)
    requests = answer_with(desk, monkeypatch, answer_as_services)
    desk.sign_in("he")
    assert 'name="role"' not in (await desk.browser.get("/proposals")).text
    desk.sessions.session = replace(desk.sign_in("he"), roles=("assistant", "supervisor"))
    page = (await desk.browser.get("/proposals")).text
    assert re.findall(r'<option value="(assistant|supervisor)"', page) == ["assistant", "supervisor"]
    requests.clear()
    await desk.browser.post("/proposals/one", data={"csrf": CSRF, "decision": "accept", "to_case": "two", "role": "supervisor"})
    assert json.loads(requests[0].content) == {"action": "link", "role": "supervisor", "data": {"case": "two", "as": "duplicate"}}


async def test_a_refusal_of_sla_is_shown(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply_groups(desk)
    problem = {"title": "refused", "detail": "the earlier case has ended", "clause": "3.6"}
    answer_with(desk, monkeypatch, lambda r: answer_as_services(r) if r.method == "GET" else httpx.Response(409, json=problem))
    desk.sign_in("he")
    page = await desk.browser.post("/proposals/one", data={"csrf": CSRF, "decision": "accept", "to_case": "two"})
    assert page.status_code == 409
    assert "the earlier case has ended" in page.text


@pytest.mark.parametrize(
    ("case", "fields", "status"),
    [
        ("one", {"decision": "accept"}, 422),
        ("one", {"to_case": "two", "decision": "both"}, 422),
        ("one", {"to_case": "accused", "decision": "accept"}, 404),
        ("pipe", {"to_case": "one", "decision": "accept"}, 404),
        ("..", {"to_case": "one", "decision": "accept"}, 404),
    ],
)
async def test_nothing_is_sent_for_a_case_that_the_person_does_not_see_or_without_a_decision(
    desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, case: str, fields: dict[str, str], status: int
) -> None:
    await apply_groups(desk)
    requests = answer_with(desk, monkeypatch, answer_as_services)
    desk.sign_in("he")
    page = await desk.browser.post(f"/proposals/{case.replace('.', '%2E')}", data={"csrf": CSRF, **fields})
    assert page.status_code == status
    assert [request.method for request in requests if request.method == "POST"] == []


def answer_as_services(request: httpx.Request) -> httpx.Response:
    """Triage with one proposal, and an sla that accepts every action."""
    if request.url.path == "/v1/proposals":
        return httpx.Response(200, json={"proposals": [PROPOSAL], "next_cursor": None})
    return httpx.Response(200, json={"accepted": True})
