"""Words of messages, previews of actions, and the complainant's view, for each person and case, with real sla and notify."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.projecting import ProjectRecords
from services.desk.bootstrap import build as build_desk
from services.desk.config import DeskSettings
from services.desk.storage.reading_progress import ReadingProgress
from services.notify.bootstrap import build as build_notify
from services.notify.config import NotifySettings
from services.sla.bootstrap import build as build_sla
from shared.contracts.events.triage import Classified, Routed
from shared.contracts.follow_codes import follow_code, follow_key
from shared.contracts.topics import TRIAGE_EVENTS
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import uuid7
from shared.runtime.service import Service
from tests.integration.desk.conftest import CSRF, DeskProbe, FixedSessions
from tests.integration.sla.application.test_access import DEPARTMENTS, organisation_people
from tests.integration.sla.conftest import harness  # noqa: F401 - a fixture
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, first_decision, person_client, write_organisation
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import write_yaml
from tests.support.messaging.settings import SettingsFactory

ENGLISH = {"Accept-Language": "en"}
RECEIVED = datetime.now(UTC) - timedelta(minutes=1)
MATTER = "三号楼电梯停运"
FOLLOW_SECRET = "a secret of the tests"
TOLD = {"zh": "请处理：{matter}，{number}", "en": "Please see to: {matter}, {number}"}
ANSWERED = {"zh": "您的投诉已答复：{text}[ {follow_link}]", "en": "Answered: {text}[ {follow_link}]"}
PROCEDURE: dict[str, Any] = {
    "id": "quiet",
    "version": 1,
    "title": {"zh": "保密", "en": "Quiet"},
    "register": {"number": "Q-{seq:05}"},
    "roles": ["assistant", "handler"],
    "reactions": [
        {"id": "tell", "on": "registered", "do": [{"notify": "assistant", "by": ["sms"], "text": TOLD}], "clause": "1"},
        {"id": "answer", "on": "first_answered", "do": [{"notify": "complainant", "by": ["sms"], "text": ANSWERED}], "clause": "2"},
    ],
}
CONFIDENTIAL = [{"clause": "3", "hidden": ["title", "text"]}]
CASES: dict[str, dict[str, Any]] = {
    "repairs": {"procedure": "open"},
    "accused": {"procedure": "open", "against": ["zhao"]},
    "secret": {"procedure": "quiet"},
}
WORDS = {  # what each person reads of each case: all words, words without the matter, or nothing
    ("li", "repairs"): "all",
    ("zhao", "repairs"): "all",
    ("sun", "repairs"): "all",
    ("qian", "repairs"): "nothing",
    ("guest", "repairs"): "nothing",
    ("li", "accused"): "all",
    ("zhao", "accused"): "nothing",
    ("sun", "accused"): "all",
    ("qian", "accused"): "nothing",
    ("guest", "accused"): "nothing",
    ("li", "secret"): "all",
    ("zhao", "secret"): "without",
    ("sun", "secret"): "without",
    ("qian", "secret"): "nothing",
    ("guest", "secret"): "nothing",
}


def decision(case: str) -> Classified:
    fields = CASES[case]
    document = first_decision(case, RECEIVED).model_dump(mode="json", by_alias=True, exclude_none=True)
    document |= {"procedure": fields["procedure"], "class": "", "clause": "1"}
    document["registered"]["procedure"] = fields["procedure"]
    document["registered"]["complaint"] |= {"text": MATTER, "against": fields.get("against", [])}
    return Classified.model_validate(document)


@dataclass
class WordsDesk:
    """A desk with the sla and the notify that it asks; each person's token is his id."""

    probe: DeskProbe
    sla: Service

    def sign_in(self, person: str) -> None:
        self.probe.sessions.session = replace(self.probe.sign_in(person), token=person)

    async def get(self, person: str, path: str, **parameters: str) -> httpx.Response:
        self.sign_in(person)
        return await self.probe.browser.get(path, params=parameters, headers=ENGLISH)

    async def post(self, person: str, path: str, **data: str) -> httpx.Response:
        self.sign_in(person)
        return await self.probe.browser.post(path, data={"csrf": CSRF, **data}, headers=ENGLISH)

    async def events(self, case: str) -> list[dict[str, Any]]:
        """Those of sla: notify has no provider here, and reports each failure when it comes to it."""
        async with person_client(self.sla, "li") as http:
            events: list[dict[str, Any]] = (await http.get(f"/v1/cases/{case}")).json()["events"]
        return [event for event in events if event["event"] != "notification_failed"]


async def open_cases(harness: SlaHarness, desk: WordsDesk) -> None:  # noqa: F811
    for case in CASES:
        classified = decision(case)
        await harness.topic_client.publish(case_event(TRIAGE_EVENTS, classified, "triage"))
        await wait_for_events(desk.sla, case, "notification_requested")
        async with person_client(desk.sla, "li") as clerk:
            body = {"action": "route", "role": "assistant", "data": {"department": "repairs"}}
            answer = await clerk.post(f"/v1/cases/{case}/actions", json=body)
            assert answer.status_code == 200, answer.text
        assert classified.registered is not None
        routed = Routed(case=case, at=RECEIVED, procedure=classified.procedure, version=1, department="repairs")
        await desk.probe.apply([classified.registered, routed])


@pytest.fixture
async def desk(
    harness: SlaHarness,  # noqa: F811
    make_settings: SettingsFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[WordsDesk]:
    file = harness.settings.organisation
    # Installed, since a past instant is read by a replay.
    packs = file.parent / "packs"
    monkeypatch.setenv("JIESU_PACKS", str(packs))
    for name, more in (("open", {}), ("quiet", {"confidentiality": CONFIDENTIAL})):
        (packs / name).mkdir(parents=True)
        write_yaml(packs / name / "procedure.yaml", PROCEDURE | {"id": name, **more})
    sources = [{"id": "hotline", "procedure": "open"}, {"id": "hidden", "procedure": "quiet"}]
    write_organisation(file, departments=DEPARTMENTS, people=organisation_people(), fallback="sun", sources=sources)
    secret = {"follow_key": SecretStr(FOLLOW_SECRET)}
    async with AsyncExitStack() as stack:
        sla = await stack.enter_async_context(build_sla(harness.settings.model_copy(update=secret)).running())
        notify_settings = make_settings(NotifySettings, organisation=file, follow_url="https://c.example.org/f", **secret)
        notify = await stack.enter_async_context(build_notify(notify_settings).running())
        urls = {f"desk_{name}_url": f"http://127.0.0.1:{each.http_port}" for name, each in (("sla", sla), ("notify", notify))}
        service = build_desk(make_settings(DeskSettings, organisation=file, desk_path="/desk", **urls))
        sessions = service.app.state.sessions = FixedSessions()
        organisation = load_organisation(file)
        projection = ProjectRecords(ConfidentialFields(organisation, file.parent), ReadingProgress(uuid7()))
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test/desk", headers={"Accept": "text/html"}) as browser:
            started = WordsDesk(DeskProbe(service, organisation, browser, sessions, projection), sla)
            await open_cases(harness, started)
            yield started
        await service.app.state.dependencies.services.close()
        await service.processing_database.close()
        await service.database.close()


def what_is_read(page: httpx.Response) -> str:
    if page.status_code != 200:
        return "nothing" if MATTER not in page.text and "Please see to" not in page.text and "请处理" not in page.text else "leak"
    said = " ".join(re.findall(r'<blockquote class="said"[^>]*>(.*?)</blockquote>', page.text, re.DOTALL))
    if "请处理" not in said:
        return "no words"
    if MATTER in said:
        return "all"
    return "without" if "（保密）" in said and MATTER not in page.text else "leak"


async def test_each_person_reads_the_words_that_the_policy_lets_him_read(desk: WordsDesk) -> None:
    read, single = {}, {}
    for person, case in WORDS:
        request = next(event for event in await desk.events(case) if event["event"] == "notification_requested")
        read[person, case] = what_is_read(await desk.get(person, f"/cases/{case}"))
        single[person, case] = what_is_read(await desk.get(person, f"/cases/{case}/messages/{request['notification']}"))
    assert read == WORDS
    assert single == WORDS


async def test_messages_of_an_action_are_previewed_and_nothing_happens(desk: WordsDesk) -> None:
    before = await desk.events("repairs")
    form = {"role": "assistant", "data.text": "明日修复", "preview": "yes", "key": "k"}
    page = await desk.post("li", "/cases/repairs/actions/answer", **form)
    assert page.status_code == 200, page.text
    assert "您的投诉已答复：明日修复 https://c.example.org/f/****" in page.text
    assert follow_code(follow_key(FOLLOW_SECRET), "repairs") not in page.text
    assert ">明日修复</textarea>" in page.text
    nobody = await desk.post("li", "/cases/repairs/actions/report_progress", role="assistant", preview="yes", **{"data.text": "x"})
    assert "This action notifies nobody at once." in nobody.text
    assert await desk.events("repairs") == before
    sent = await desk.post("li", "/cases/repairs/actions/answer", **{name: value for name, value in form.items() if name != "preview"})
    assert sent.status_code == 303
    assert "您的投诉已答复：明日修复" in (await desk.get("li", "/cases/repairs")).text


async def test_preview_is_refused_as_the_action_is(desk: WordsDesk) -> None:
    refused = await desk.post("li", "/cases/repairs/actions/reopen", role="assistant", preview="yes", **{"data.text": "x"})
    assert refused.status_code == 409
    assert "action_refused" not in [event["event"] for event in await desk.events("repairs")]
    for person, case in (("zhao", "accused"), ("qian", "repairs")):
        answer = await desk.post(person, f"/cases/{case}/actions/answer", role="handler", preview="yes", **{"data.text": "x"})
        assert answer.status_code == 404
        async with person_client(desk.sla, person) as http:
            body = {"action": "answer", "role": "handler", "data": {"text": "x"}}
            assert (await http.post(f"/v1/cases/{case}/actions/preview", json=body)).status_code == 404


async def test_complainant_view_has_neither_code_nor_hidden_fields(desk: WordsDesk) -> None:
    await desk.post("li", "/cases/secret/actions/answer", role="assistant", **{"data.text": "秘密的答复"})
    seen = {}
    for person, case in WORDS:
        page = await desk.get(person, f"/cases/{case}/complainant")
        seen[person, case] = "nothing" if page.status_code == 404 else "all" if MATTER in page.text else "without"
        assert follow_code(follow_key(FOLLOW_SECRET), case) not in page.text
        assert ("秘密的答复" in page.text) == (case == "secret" and seen[person, case] == "all")
    assert seen == WORDS


async def test_words_of_a_past_instant_are_those_of_the_messages_until_then(desk: WordsDesk) -> None:
    recorded = datetime.now(UTC)
    await desk.post("li", "/cases/repairs/actions/answer", role="assistant", **{"data.text": "明日修复"})
    past = await desk.get("li", "/cases/repairs", as_of=recorded.isoformat())
    assert past.status_code == 200, past.text
    assert "请处理" in past.text
    assert "明日修复" not in past.text
    answer = next(event for event in reversed(await desk.events("repairs")) if event["event"] == "notification_requested")
    path = f"/cases/repairs/messages/{answer['notification']}"
    assert (await desk.get("li", path)).status_code == 200
    assert (await desk.get("li", path, as_of=recorded.isoformat())).status_code == 404


async def test_case_is_shown_without_words_while_notify_is_away(desk: WordsDesk) -> None:
    services = desk.probe.service.app.state.dependencies.services
    services._urls = {**services._urls, "notify": "http://127.0.0.1:9"}
    page = await desk.get("li", "/cases/repairs")
    assert page.status_code == 200
    assert "The service of the messages does not answer" in page.text
    assert MATTER in page.text
