"""A complainant is found by his whole number through sla, which decides who may and records it."""

from collections.abc import Callable

import httpx
import pytest

from services.desk.application.service_client import ServiceClient
from shared.contracts.events.triage import Routed
from tests.integration.desk.conftest import CSRF, START, DeskProbe, registration

PHONE = "138 0000 1234"


def answer_with(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> list[httpx.Request]:
    requests: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    client = ServiceClient({"sla": "http://sla.test"}, 5, httpx.MockTransport(record))
    monkeypatch.setattr(desk.service.app.state.dependencies.services, "_http", client._http)
    return requests


async def test_the_cases_of_a_number_that_the_person_sees_are_listed(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    for case, department in (("c1", "lifts"), ("c2", "water")):
        await desk.apply([registration(case), Routed(case=case, at=START, procedure="shop", version=3, department=department)])
    found = {"cases": [{"case": "c1"}, {"case": "c2"}, {"case": "unknown"}], "next_cursor": None}
    requests = answer_with(desk, monkeypatch, lambda _: httpx.Response(200, json=found))
    desk.sign_in("he")
    page = await desk.browser.post("/people", data={"csrf": CSRF, "phone": PHONE})
    assert 'value="c1"' in page.text
    assert 'value="c2"' not in page.text
    assert PHONE not in page.text
    (request,) = requests
    assert request.headers["complainant-phone"] == PHONE
    assert request.headers["authorization"] == "Bearer he-token"
    assert "1234" not in str(request.url)


async def test_a_person_without_the_right_reads_why(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {"title": "not allowed", "detail": "Complainant-Phone: needs the right find_by_phone"}
    answer_with(desk, monkeypatch, lambda _: httpx.Response(403, json=problem))
    desk.sign_in("he")
    page = await desk.browser.post("/people", data={"csrf": CSRF, "phone": PHONE})
    assert page.status_code == 403
    assert "needs the right find_by_phone" in page.text
    assert PHONE not in page.text


@pytest.mark.parametrize("phone", ["", "  ", "电话", "138\r\nX-Evil: 1"])
async def test_what_is_no_number_is_asked_for_again(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, phone: str) -> None:
    requests = answer_with(desk, monkeypatch, lambda _: httpx.Response(200, json={"cases": []}))
    desk.sign_in("he")
    page = await desk.browser.post("/people", data={"csrf": CSRF, "phone": phone})
    assert page.status_code == 422
    assert requests == []
