"""A complainant is found by his whole name or number, and his contact data are shown, through sla, which decides who may and records it."""

import json
from collections.abc import Callable

import httpx
import pytest

from services.desk.application.service_client import ServiceClient
from shared.contracts.events.triage import Routed
from tests.integration.desk.conftest import CSRF, START, DeskProbe, registration

PHONE = "138 0000 1234"
EMAIL = "wang.jianguo@example.org"
MASKED = {"name": "王**", "phone": "138****1234"}
SEEN = {"person": "shui", "fields": ["phone"], "reason": "前次回访", "at": "2026-09-24T16:00:00+08:00"}


def answer_with(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> list[httpx.Request]:
    requests: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    client = ServiceClient({"sla": "http://sla.test"}, 5, httpx.MockTransport(record))
    monkeypatch.setattr(desk.service.app.state.dependencies.services, "_http", client._http)
    return requests


@pytest.mark.parametrize(("field", "text"), [("phone", PHONE), ("name", "王建国")])
async def test_the_cases_of_a_complainant_that_the_person_sees_are_listed_masked(
    desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, field: str, text: str
) -> None:
    await apply_cases(desk)
    found = {"cases": [{"case": case, "complainant": MASKED} for case in ("c1", "c2", "c3", "unknown")], "more": False}
    requests = answer_with(desk, monkeypatch, lambda _: httpx.Response(200, json=found))
    desk.sign_in("he")
    page = await desk.browser.post("/people", data={"csrf": CSRF, field: text})
    assert 'value="c1"' in page.text
    assert MASKED["phone"] in page.text
    # Of another department, and about the one who searches: the desk holds its own condition against an answer of sla.
    assert 'value="c2"' not in page.text
    assert 'value="c3"' not in page.text
    assert text not in page.text
    (request,) = requests
    assert (request.url.path, json.loads(request.content)) == ("/v1/people/search", {field: text})
    assert request.headers["authorization"] == "Bearer he-token"


@pytest.mark.parametrize(
    "setting", ["JIESU_PSEUDONYM_KEY is not set for sla", "JIESU_SEALING_KEYS, JIESU_PSEUDONYM_KEY: are not set for sla"]
)
async def test_the_page_names_the_setting_that_sla_lacks(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    await apply_cases(desk)
    problem = {"title": "cannot be searched", "detail": setting}
    answer_with(desk, monkeypatch, lambda _: httpx.Response(422, json=problem))
    desk.sign_in("he")
    for path, data in (("/people", {"phone": PHONE}), ("/cases/c1/contact", {"field": "phone", "reason": "回访"})):
        page = await desk.browser.post(path, data={"csrf": CSRF, **data})
        assert page.status_code == 422
        assert setting in page.text
        assert PHONE not in page.text


async def test_a_person_without_the_right_reads_why(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply_cases(desk)
    problem = {"title": "not allowed", "detail": "Authorization: needs the right of the organisation file"}
    answer_with(desk, monkeypatch, lambda _: httpx.Response(403, json=problem))
    desk.sign_in("he")
    for path, data in (("/people", {"phone": PHONE}), ("/cases/c1/contact", {"field": "phone", "reason": "回访"})):
        page = await desk.browser.post(path, data={"csrf": CSRF, **data})
        assert page.status_code == 403
        assert "needs the right" in page.text
        assert PHONE not in page.text


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": ""},
        {"phone": "  "},
        {"phone": "电话"},
        {"phone": "138\r\nX-Evil: 1"},
        {"phone": PHONE, "name": "王"},
        {"name": "王" * 201},
        {},
    ],
)
async def test_what_is_no_name_or_number_is_asked_for_again(
    desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    requests = answer_with(desk, monkeypatch, lambda _: httpx.Response(200, json={"cases": [], "more": False}))
    desk.sign_in("he")
    page = await desk.browser.post("/people", data={"csrf": CSRF, **fields})
    assert page.status_code == 422
    assert requests == []


async def test_contact_data_are_shown_once_with_a_reason_and_logged_nowhere(
    desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await apply_cases(desk)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"case": "c1", "unmaskings": [SEEN]})
        return httpx.Response(200, json={"case": "c1", "at": SEEN["at"], "values": {"phone": PHONE, "email": EMAIL}})

    requests = answer_with(desk, monkeypatch, answer)
    desk.sign_in("he")
    page = await desk.browser.post("/cases/c1/contact", data={"csrf": CSRF, "field": ["phone", "email", "id_number"], "reason": " 回访 "})
    assert PHONE in page.text
    assert EMAIL in page.text
    assert page.headers["cache-control"] == "no-store"
    assert json.loads(requests[0].content) == {"fields": ["phone", "email"], "reason": "回访"}
    later = await desk.browser.get("/cases/c1/contact")
    assert PHONE not in later.text
    assert "前次回访" in later.text
    logged = "".join([*capfd.readouterr(), caplog.text])
    assert PHONE not in logged
    assert EMAIL not in logged


@pytest.mark.parametrize(
    "fields", [{"reason": "回访"}, {"field": "phone"}, {"field": "phone", "reason": " 访 "}, {"field": "id", "reason": "回访"}]
)
async def test_contact_data_are_not_asked_for_without_field_or_reason(
    desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    await apply_cases(desk)
    requests = answer_with(desk, monkeypatch, lambda _: httpx.Response(200, json={"unmaskings": []}))
    desk.sign_in("he")
    page = await desk.browser.post("/cases/c1/contact", data={"csrf": CSRF, **fields})
    assert page.status_code == 422
    assert [request.method for request in requests] == ["GET"]


@pytest.mark.parametrize("case", ["c2", "c3", "unknown"])
async def test_a_case_that_the_person_does_not_see_is_not_asked_about(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    await apply_cases(desk)
    requests = answer_with(desk, monkeypatch, lambda _: httpx.Response(200, json={"values": {"phone": PHONE}, "unmaskings": []}))
    desk.sign_in("he")
    posted = await desk.browser.post(f"/cases/{case}/contact", data={"csrf": CSRF, "field": "phone", "reason": "回访"})
    shown = await desk.browser.get(f"/cases/{case}/contact")
    assert (posted.status_code, shown.status_code, requests) == (404, 404, [])


async def apply_cases(desk: DeskProbe) -> None:
    """Case c1 of the lifts, c2 of the water, c3 of the lifts and about their head."""
    for case, department, against in (("c1", "lifts", []), ("c2", "water", []), ("c3", "lifts", ["he"])):
        await desk.apply(
            [registration(case, against=against), Routed(case=case, at=START, procedure="shop", version=3, department=department)]
        )
