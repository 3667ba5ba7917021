"""The page of a case and the forms of its actions, with a case of hunan-property in a real sla behind them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.projecting import ProjectRecords
from services.desk.bootstrap import build as build_desk
from services.desk.config import DeskSettings
from services.desk.storage.reading_progress import ReadingProgress
from services.sla.bootstrap import build as build_sla
from shared.contracts.events.triage import Routed
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import uuid7
from shared.runtime.service import Service
from tests.integration.desk.conftest import CSRF, DeskProbe, FixedSessions
from tests.integration.sla.conftest import harness  # noqa: F401 - a fixture
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import OTHER_DEPARTMENT_TOKEN, PERSON_TOKEN, SlaHarness, first_decision, person_client
from tests.support.messaging.settings import SettingsFactory

ENGLISH = {"Accept-Language": "en"}
RECEIVED = datetime.now(UTC) - timedelta(minutes=1)


@dataclass
class CaseDesk:
    """A desk and the sla that it asks; the case `lift` is in both."""

    probe: DeskProbe
    sla: Service
    harness: SlaHarness

    def sign_in(self, person: str, token: str) -> None:
        session = self.probe.sign_in(person)
        self.probe.sessions.session = replace(session, token=token)

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        return await self.probe.browser.get(path, params=parameters, headers=ENGLISH)

    async def send(self, action: str, form: dict[str, str]) -> httpx.Response:
        return await self.probe.browser.post(f"/cases/lift/actions/{action}", data={"csrf": CSRF, **form}, headers=ENGLISH)

    async def events(self) -> list[dict[str, Any]]:
        async with person_client(self.sla) as http:
            events: list[dict[str, Any]] = (await http.get("/v1/cases/lift")).json()["events"]
        return events


@pytest.fixture
async def case_desk(harness: SlaHarness, make_settings: SettingsFactory) -> AsyncIterator[CaseDesk]:  # noqa: F811
    async with build_sla(harness.settings).running() as sla:
        url = f"http://127.0.0.1:{sla.http_port}"
        organisation_file = harness.settings.organisation
        service = build_desk(make_settings(DeskSettings, organisation=organisation_file, desk_path="/desk", desk_sla_url=url))
        sessions = service.app.state.sessions = FixedSessions()
        organisation = load_organisation(organisation_file)
        fields = ConfidentialFields(organisation, organisation_file.parent)
        await harness.send_first_decision("lift", RECEIVED, facility_failure=True)
        await wait_for_events(sla, "lift", "clock_started")
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test/desk", headers={"Accept": "text/html"}) as browser:
            probe = DeskProbe(service, organisation, browser, sessions, ProjectRecords(fields, ReadingProgress(uuid7())))
            registered = first_decision("lift", RECEIVED, facility_failure=True).registered
            assert registered is not None
            await probe.apply([registered])
            desk = CaseDesk(probe, sla, harness)
            desk.sign_in("li", PERSON_TOKEN)
            yield desk
        # Else its connections are found unclosed during a later test, which then fails.
        await service.app.state.dependencies.services.close()
        await service.processing_database.close()
        await service.database.close()
        await service.processing_database.close()
        await service.database.close()


def labels(page: str) -> list[str]:
    return re.findall(r'<label for="f-([a-z_]+)"', page)


def form_key(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_the_case_shows_words_facts_clocks_and_what_may_be_done(case_desk: CaseDesk) -> None:
    page = await case_desk.get("/cases/lift")
    assert page.status_code == 200, page.text
    assert "<blockquote>三号楼电梯停运</blockquote>" in page.text
    assert re.search(r"<tr><td>[^<]+</td><td>yes</td>", page.text)
    assert page.text.count('<svg xmlns="http://www.w3.org/2000/svg"') >= 2
    assert "So it is due at" in page.text
    assert '/desk/cases/lift/actions/answer"' in page.text
    assert '/desk/cases/lift/actions/reopen"' not in page.text
    assert "What you may not do, and why (" in page.text
    assert re.search(r"<tr><td>[^<]+</td><td>[^<]+</td><td>clause [^<]+</td></tr>", page.text)
    assert '/desk/cases/lift/papers"' in page.text
    assert '/desk/cases/lift/evidence"' in page.text
    assert " style=" not in page.text
    chinese = await case_desk.probe.browser.get("/cases/lift")
    assert "您现在可以进行的操作" in chinese.text


async def test_an_action_goes_from_its_form_to_sla_once(case_desk: CaseDesk) -> None:
    empty = await case_desk.get("/cases/lift/actions/answer")
    assert empty.status_code == 200
    assert labels(empty.text) == ["text", "reason", "attachments", "promise", "next_date"]
    form = {"key": form_key(empty.text), "role": "assistant", "data.text": "明日修复", "data.next_date": "2026-12-24T17:00"}
    for _ in range(2):
        sent = await case_desk.send("answer", form)
        assert (sent.status_code, sent.headers["location"]) == (303, "/desk/cases/lift?done=answer"), sent.text
    answers = [event for event in await case_desk.events() if event["event"] in ("first_answered", "answered")]
    assert [(event["text"], event["next_date"], event["actor"]) for event in answers] == [("明日修复", "2026-12-24T17:00:00+08:00", "li")]
    page = await case_desk.get("/cases/lift", done="answer")
    assert "<blockquote>明日修复</blockquote>" in page.text
    assert 'role="status">Sent: ' in page.text


async def test_wrong_input_is_named_at_its_field_and_kept(case_desk: CaseDesk) -> None:
    before = len(await case_desk.events())
    unnamed = await case_desk.send("assign", {"role": "assistant", "data.text": "x" * 20_001, "data.person": "nobody\r\nelse"})
    assert unnamed.status_code == 422
    assert 'id="e-text">the text is too long: shorten it</strong>' in unnamed.text
    assert 'aria-describedby="e-text"' in unnamed.text
    amended = await case_desk.send("amend", {"role": "assistant", "data.facts": "facility_failure <b>no", "key": "again"})
    assert amended.status_code == 422
    assert 'id="e-facts">write each line as name: value' in amended.text
    assert "facility_failure &lt;b&gt;no</textarea>" in amended.text
    assert form_key(amended.text) == "again"
    assert len(await case_desk.events()) == before


async def test_what_sla_refuses_is_shown_with_its_clause_and_the_form_stays(case_desk: CaseDesk) -> None:
    forbidden = await case_desk.get("/cases/lift/actions/reopen")
    assert forbidden.status_code == 200
    assert "You may not take this action now:" in forbidden.text
    assert '<button class="button">reopen' not in forbidden.text
    refused = await case_desk.send("reopen", {"role": "assistant", "data.text": "再看"})
    assert refused.status_code == 409
    assert "The action was refused:" in refused.text
    assert "reopened" not in [event["event"] for event in await case_desk.events()]


async def test_a_form_without_the_token_of_the_page_or_of_an_unknown_action_changes_nothing(case_desk: CaseDesk) -> None:
    assert (await case_desk.send("answer", {"csrf": "other", "data.text": "x"})).status_code == 403
    assert (await case_desk.send("no_such", {})).status_code == 404
    assert (await case_desk.get("/cases/lift/actions/register")).status_code == 404
    assert "first_answered" not in [event["event"] for event in await case_desk.events()]


async def test_who_may_not_see_the_case_gets_404_and_no_word_of_it(case_desk: CaseDesk) -> None:
    routed = await case_desk.send("route", {"role": "assistant", "data.department": "repairs"})
    assert routed.status_code == 303, routed.text
    await case_desk.probe.apply([Routed(case="lift", at=RECEIVED, procedure="hunan-property", version=1, department="repairs")])
    case_desk.sign_in("qian", OTHER_DEPARTMENT_TOKEN)
    for path in ("/cases/lift", "/cases/lift/actions/answer", "/cases/lift?as_of=2026-09-24T16:40", "/cases/%00"):
        page = await case_desk.probe.browser.get(path)
        assert page.status_code == 404, path
        assert "三号楼" not in page.text
    assert (await case_desk.send("answer", {"data.text": "x"})).status_code == 404
    # The read model alone says that he sees it: sla decides.
    case_desk.sign_in("li", OTHER_DEPARTMENT_TOKEN)
    for path in ("/cases/lift", "/cases/lift/actions/answer"):
        assert (await case_desk.get(path)).status_code == 404, path


async def test_the_case_is_shown_as_of_a_past_instant(case_desk: CaseDesk) -> None:
    recorded = max(datetime.fromisoformat(event["recorded_at"]) for event in await case_desk.events())
    await case_desk.send("answer", {"role": "assistant", "data.text": "明日修复"})
    now = await case_desk.get("/cases/lift")
    past = await case_desk.get("/cases/lift", as_of=recorded.isoformat())
    assert past.status_code == 200, past.text
    assert ("明日修复" in now.text, "明日修复" in past.text) == (True, False)
    assert "三号楼电梯停运" in past.text
    assert "This is the case as it stood at" in past.text
    assert "So it is due at" in past.text
    assert "/actions/" not in past.text
    assert "<h2>Timeline</h2>" in past.text
    before = await case_desk.get("/cases/lift", as_of="2020-01-01T00:00")
    assert before.status_code == 422
    assert "三号楼" not in before.text
    for typed in ("yesterday", "2999-01-01T00:00", "<b>"):
        page = await case_desk.get("/cases/lift", as_of=typed)
        assert page.status_code == 422
        assert 'aria-describedby="as-of-fault"' in page.text
        assert "<b>" not in page.text


async def test_a_summary_is_shown_and_the_form_kept_while_sla_is_away(desk: DeskProbe) -> None:
    event = first_decision("lift", RECEIVED).registered
    assert event is not None
    await desk.apply([event])
    desk.sign_in("li")
    page = await desk.browser.get("/cases/lift", headers=ENGLISH)
    assert page.status_code == 200
    assert "The service of the cases does not answer" in page.text
    assert (await desk.browser.get("/cases/lift/actions/answer", headers=ENGLISH)).status_code == 503
