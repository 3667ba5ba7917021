"""Taking a complaint at the desk, registered by a real intake: read-back, number at once, one case however often it is sent."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.desk.config import DeskSettings
from services.intake.bootstrap import build as build_intake
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.desk.conftest import CSRF, DEPARTMENTS, PEOPLE, DeskProbe
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, SOURCES, token_of, write_organisation
from tests.support.messaging.settings import SettingsFactory

ENGLISH = {"Accept-Language": "en"}
WEB, HOTLINE, *_ = SOURCES
CASES = [("old", "closed"), ("running", "open")]
WIDE = "\uff11\uff13\uff18 0000 1234"
"""Full-width digits, as a Chinese input method writes them."""
FILLED = {"csrf": CSRF, "complainant.phone": "138 0000 1234", "complainant.name": "王先生", "text": "3号楼电梯停运", "place": "3号楼"}


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path) -> DeskSettings:
    people = [person | {"token_sha256": token_of(str(person["id"]))} for person in PEOPLE]
    sources = [WEB | {"entered_by": ["li"]}, HOTLINE | {"entered_by": ["li", "he"]}]
    organisation = write_organisation(tmp_path, people=people, departments=DEPARTMENTS, sources=sources)
    return make_settings(DeskSettings, organisation=organisation, desk_path="/desk")


@pytest.fixture
async def intake(make_settings: SettingsFactory, desk_settings: DeskSettings) -> AsyncIterator[Service]:
    settings = make_settings(IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=desk_settings.organisation)
    await apply_topics(settings, [topics.COMPLAINT_SUBMISSIONS, topics.COMPLAINT_EVENTS])
    async with build_intake(settings).running() as service:
        yield service


@pytest.fixture
def connected(desk: DeskProbe, intake: Service, monkeypatch: pytest.MonkeyPatch) -> DeskProbe:
    """The desk with the address of that intake; nothing answers for sla."""
    monkeypatch.setitem(urls_of(desk), "intake", f"http://127.0.0.1:{intake.http_port}")
    return desk


def urls_of(desk: DeskProbe) -> dict[str, str]:
    urls: dict[str, str] = desk.service.app.state.dependencies.services._urls
    return urls


def answer_as_sla(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, answers: httpx.MockTransport) -> None:
    monkeypatch.setattr(desk.service.app.state.dependencies.services, "_http", httpx.AsyncClient(transport=answers))


def values_of(page: str) -> dict[str, str]:
    """What a browser without script would send again: hidden fields and filled inputs."""
    inputs = re.findall(r"<input[^>]*>", page)
    pairs = [(re.search(r'name="([^"]+)"', text), re.search(r'value="([^"]*)"', text)) for text in inputs if "checkbox" not in text]
    return {unescape(name.group(1)): unescape(value.group(1)) for name, value in pairs if name and value}


def number_in(page: str) -> str:
    found = re.search(r'class="number">([^<]+)<', page)
    assert found is not None, page
    return found.group(1)


async def read_back(desk: DeskProbe, **fields: str) -> httpx.Response:
    form = values_of((await desk.browser.get("/complaints/new", headers=ENGLISH)).text)
    sent = {**form, "channel": "hotline", **FILLED, **fields, "step": "check"}
    return await desk.browser.post("/complaints/new", data=sent, headers=ENGLISH)


async def test_complaint_is_read_back_and_gets_its_number_at_once(connected: DeskProbe, intake: Service) -> None:
    connected.sign_in("li")
    back = await read_back(connected, text='电梯 <b>"停运"</b>', **{"facts.persons": "3"})
    assert back.status_code == 200
    assert "电梯 &lt;b&gt;&#34;停运&#34;&lt;/b&gt;" in back.text
    sent = {**values_of(back.text), "csrf": CSRF, "step": "register"}
    page = await connected.browser.post("/complaints/new", data=sent, headers=ENGLISH)
    assert page.status_code == 200, page.text
    assert number_in(page.text).startswith("TS-")
    [stored] = await stored_complaints(intake)
    assert (stored["entered_by"], stored["channel"], stored["source"]) == ("li", "hotline", "web")
    assert stored["facts"] == {"persons": 3}
    assert stored["text"] == '电梯 <b>"停运"</b>'


async def stored_complaints(intake: Service) -> list[dict[str, Any]]:
    async with intake.database.transaction() as tx:
        rows = await tx.fetch("SELECT body::jsonb -> 'complaint' AS complaint FROM complaint")
    return [row["complaint"] for row in rows]


async def test_double_click_makes_one_case_and_a_registered_form_takes_no_other_contents(connected: DeskProbe, intake: Service) -> None:
    connected.sign_in("he")
    sent = {**values_of((await read_back(connected)).text), "csrf": CSRF, "step": "register"}
    pages = [await connected.browser.post("/complaints/new", data=sent, headers=ENGLISH) for _ in range(2)]
    assert number_in(pages[0].text) == number_in(pages[1].text)
    assert "was registered already" in pages[1].text
    changed = await connected.browser.post("/complaints/new", data={**sent, "text": "另一件事"}, headers=ENGLISH)
    assert changed.status_code == 422
    assert "Open a new form" in changed.text
    assert len(await stored_complaints(intake)) == 1


@pytest.mark.parametrize(
    ("fields", "field", "remedy"),
    [
        ({"text": "  "}, "text", "Fill this in."),
        ({"received_at": "soon"}, "received_at", "Give a date and a time"),
        ({"channel": "email"}, "channel", "Choose one of the channels"),
        ({"facts.persons": "many"}, "facts-persons", "Give a number."),
    ],
)
async def test_wrong_input_is_named_at_its_field_and_nothing_is_lost(
    desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], field: str, remedy: str
) -> None:
    answer_as_sla(desk, monkeypatch, httpx.MockTransport(lambda _: httpx.Response(403)))
    desk.sign_in("li")
    page = await sent_at_once(desk, **fields)
    assert page.status_code == 422
    assert remedy in page.text.partition(f'id="f-{field}-fault"')[2][:200]
    assert 'value="138 0000 1234"' in page.text


async def sent_at_once(desk: DeskProbe, **fields: str) -> httpx.Response:
    form = values_of((await desk.browser.get("/complaints/new")).text)
    sent = {**form, "channel": "hotline", **FILLED, **fields, "step": "register"}
    return await desk.browser.post("/complaints/new", data=sent, headers=ENGLISH)


async def test_what_intake_refuses_is_named_at_its_field(connected: DeskProbe, intake: Service) -> None:
    connected.sign_in("li")
    page = await sent_at_once(connected, received_at="2098-01-01T00:00")
    assert page.status_code == 422
    assert "not one in the future" in page.text.partition('id="f-received_at-fault"')[2][:200]
    assert await stored_complaints(intake) == []


async def test_missing_field_of_the_procedure_is_read_back_with_its_clause_and_refuses_nothing(connected: DeskProbe) -> None:
    connected.sign_in("li")
    back = await read_back(connected, **{"complainant.phone": ""})
    assert "The procedure also requires these fields (2)" in back.text
    page = await connected.browser.post("/complaints/new", data={**values_of(back.text), "csrf": CSRF, "step": "register"}, headers=ENGLISH)
    assert "Still to be asked for" in page.text


async def test_without_an_answer_the_same_form_can_be_sent_again(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.sign_in("li")
    answer_as_sla(desk, monkeypatch, httpx.MockTransport(lambda _: httpx.Response(503)))
    back = await read_back(desk)
    page = await desk.browser.post("/complaints/new", data={**values_of(back.text), "csrf": CSRF, "step": "register"}, headers=ENGLISH)
    assert page.status_code == 503
    assert values_of(page.text)["form"] == values_of(back.text)["form"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (httpx.Response(403, json={"title": "forbidden"}), "You may not look up cases"),
        (httpx.Response(422, json={"title": "unreadable"}), "not complete yet"),
        (httpx.Response(503), "cannot be read at the moment"),
        (httpx.Response(200, json={"cases": [], "next_cursor": None}), "No earlier case"),
    ],
)
async def test_registration_goes_on_whatever_the_search_answers(
    desk: DeskProbe, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response, shown: str
) -> None:
    answer_as_sla(desk, monkeypatch, httpx.MockTransport(lambda _: answer))
    desk.sign_in("li")
    part = await desk.browser.post("/complaints/callers", data=FILLED, headers=ENGLISH)
    assert shown in part.text
    assert "<html" not in part.text
    whole = await desk.browser.post("/complaints/new", data={**FILLED, "form": "f", "step": "lookup"}, headers=ENGLISH)
    assert shown in whole.text
    assert "3号楼电梯停运" in whole.text


async def test_open_cases_of_the_caller_stand_before_ended_ones(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        cases = [{"case": name, "number": name, "status": status, "received_at": "2026-09-24"} for name, status in CASES]
        return httpx.Response(200, json={"cases": cases, "next_cursor": "x"})

    answer_as_sla(desk, monkeypatch, httpx.MockTransport(answer))
    desk.sign_in("li")
    part = (await desk.browser.post("/complaints/callers", data={**FILLED, "complainant.phone": WIDE}, headers=ENGLISH)).text
    assert re.findall(r"/desk/cases/([^\"]+)", part) == ["running", "old"]
    assert asked[0].headers["complainant-phone"] == "138 0000 1234"
    assert asked[0].headers["authorization"] == "Bearer li-token"
    assert "138" not in str(asked[0].url)


async def test_part_of_a_number_is_not_asked_for(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    answer_as_sla(desk, monkeypatch, httpx.MockTransport(refuse))
    desk.sign_in("li")
    for phone in ("138", "abc", "1380000\r\nX: y", "电话1380000", "1" * 60):
        part = await desk.browser.post("/complaints/callers", data={**FILLED, "complainant.phone": phone}, headers=ENGLISH)
        assert "not complete yet" in part.text, phone


async def test_who_enters_for_no_source_sees_no_such_page(desk: DeskProbe) -> None:
    desk.sign_in("wang")
    assert "/complaints/new" not in (await desk.browser.get("/help")).text
    assert (await desk.browser.get("/complaints/new")).status_code == 404
    for path in ("/complaints/new", "/complaints/callers"):
        assert (await desk.browser.post(path, data=FILLED)).status_code == 404
    desk.sign_in("he")
    assert "/complaints/new" in (await desk.browser.get("/help")).text
    assert (await desk.browser.get("/complaints/new?source=web")).status_code == 404
    assert (await desk.browser.post("/complaints/new", data={**FILLED, "csrf": "another"})).status_code == 403
