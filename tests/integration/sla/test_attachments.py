"""The attachments of a case: addresses for whoever may see it, forged references refused, photographs by content."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.sla.bootstrap import build
from services.sla.config import SlaSettings
from shared.contracts.attachments import AttachmentKeys
from shared.contracts.events.triage import Classified
from shared.contracts.topics import CASE_EVENTS, TRIAGE_EVENTS, department_topic
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import OTHER_DEPARTMENT_TOKEN, SlaHarness, event_types, person_client, write_organisation
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import registered_event, sample_complaint
from tests.support.waiting import wait_for

SECRET = "a secret of the tests"
KEYS = AttachmentKeys([SECRET])
PHOTO = str(KEYS.reference("ab" * 32, "现场.jpg"))
LETTER = str(KEYS.reference("cd" * 32, "投诉信.pdf"))
WORKER_TOKEN = "worker"


@pytest.fixture
def settings(harness: SlaHarness) -> SlaSettings:
    changes = {"attachment_key": SecretStr(SECRET), "attachment_url": "https://intake.example.org/"}
    return harness.settings.model_copy(update=changes)


@pytest.fixture
async def service(settings: SlaSettings) -> AsyncIterator[Service]:
    async with build(settings).running() as running:
        yield running


def decision(case: str, procedure: str, **parameters: Any) -> Classified:
    received = datetime.now(UTC) - timedelta(minutes=1)
    complaint = sample_complaint(case, received, source="hotline", text="墙面渗水", attachments=[LETTER, "说明.docx"])
    registered = registered_event(complaint, procedure, 1).model_copy(update={"parameters": parameters})
    values = {"case": case, "at": received, "procedure": procedure, "version": 1, "kind": "complaint"}
    return Classified.model_validate({**values, "registered": registered})


async def test_addresses_are_for_whoever_may_see_the_case(service: Service, harness: SlaHarness) -> None:
    await harness.topic_client.publish(case_event(TRIAGE_EVENTS, decision("case-1", "hunan-property"), "triage"))
    await wait_for_events(service, "case-1", "registered")
    async with person_client(service) as http, person_client(service, OTHER_DEPARTMENT_TOKEN) as outsider:
        route = {"action": "route", "role": "supervisor", "data": {"department": "repairs"}}
        assert (await http.post("/v1/cases/case-1/actions", json=route)).status_code == 200
        survey = {"action": "survey", "role": "assistant", "data": {"text": "渗水", "attachments": [PHOTO, "草图.png"]}}
        assert (await http.post("/v1/cases/case-1/actions", json=survey)).status_code == 200
        answer = await http.get("/v1/cases/case-1/attachments")
        hidden, unknown = await outsider.get("/v1/cases/case-1/attachments"), await outsider.get("/v1/cases/none/attachments")
    assert answer.headers["cache-control"] == "no-store"
    links = answer.json()["attachments"]
    assert [(link["event"], link["name"], link["sha256"]) for link in links] == [
        ("registered", "投诉信.pdf", "cd" * 32),
        ("surveyed", "现场.jpg", "ab" * 32),
    ]
    assert links[1]["url"].startswith(f"https://intake.example.org/v1/attachments/{'ab' * 32}?name=%E7%8E%B0%E5%9C%BA.jpg&expires=")
    remaining = datetime.fromisoformat(links[1]["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < remaining <= timedelta(minutes=5)
    assert (hidden.status_code, hidden.json()) == (404, unknown.json())


async def test_forged_reference_is_refused_by_http_and_by_kafka(service: Service, harness: SlaHarness) -> None:
    await harness.send_first_decision("case-1")
    await wait_for_events(service, "case-1", "registered")
    forged = PHOTO.replace("ab" * 32, "ef" * 32)
    async with person_client(service) as http:
        survey = {"action": "survey", "role": "assistant", "data": {"attachments": [forged]}}
        answer = await http.post("/v1/cases/case-1/actions", json=survey)
    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (422, "attachments")
    await harness.send_action("case-1", "survey", attachments=[forged])
    await wait_for_events(service, "case-1", "action_refused")
    await harness.send_action("case-1", "survey", attachments=[PHOTO])
    await wait_for_events(service, "case-1", "surveyed")
    assert (await event_types(service, "case-1")).count("surveyed") == 1


async def test_files_of_a_complainant_whose_name_is_confidential_are_not_addressed(settings: SlaSettings, harness: SlaHarness) -> None:
    people = [
        {"id": "clerk", "roles": ["acceptance"], "token_sha256": sha256(b"clerk").hexdigest()},
        {"id": "worker", "roles": [], "department": "repairs", "token_sha256": sha256(WORKER_TOKEN.encode()).hexdigest()},
    ]
    folder = Path(settings.organisation).parent
    sources = [{"id": "hotline", "procedure": "internal-customers", "parameters": {"limit": "3wd"}}]
    departments = [{"id": "repairs", "head": "worker"}]
    organisation = write_organisation(
        folder / "confidential.yaml", people=people, sources=sources, departments=departments, line={}, fallback="clerk"
    )
    async with build(settings.model_copy(update={"organisation": organisation})).running() as service:
        event = decision("case-1", "internal-customers", limit="3wd")
        await harness.topic_client.publish(case_event(TRIAGE_EVENTS, event, "triage"))
        await wait_for_events(service, "case-1", "registered")
        async with person_client(service, "clerk") as clerk, person_client(service, WORKER_TOKEN) as worker:
            route = {"action": "route", "role": "acceptance", "data": {"department": "repairs"}}
            routed = await clerk.post("/v1/cases/case-1/actions", json=route)
            assert routed.status_code == 200, routed.text

            async def links(client: Any) -> list[Any]:
                return [link["url"] for link in (await client.get("/v1/cases/case-1/attachments")).json()["attachments"]]

            assert (await wait_for(lambda: links(clerk)))[0].startswith("https://intake.example.org/")
            assert await links(worker) == [None]


async def _surveys_are_published(harness: SlaHarness) -> bool:
    events = await harness.topic_client.read_events(department_topic("repairs"))
    return [event_id for event_id, _, _ in events].count("surveyed") == 2


async def test_survey_without_a_photograph_is_incomplete_in_ledger_topic_and_page(settings: SlaSettings, harness: SlaHarness) -> None:
    people = [{"id": "wang", "roles": ["service_centre_head", "quality_engineering"], "token_sha256": sha256(b"wang").hexdigest()}]
    folder = Path(settings.organisation).parent
    sources = [{"id": "hotline", "procedure": "realestate-engineering"}]
    departments = [{"id": "repairs", "head": "wang"}]
    organisation = write_organisation(
        folder / "surveys.yaml", people=people, sources=sources, departments=departments, line={}, fallback="wang"
    )
    document = str(KEYS.reference("cd" * 32, "现场.jpg.txt"))
    async with build(settings.model_copy(update={"organisation": organisation})).running() as service:
        event = decision("case-1", "realestate-engineering").model_copy(
            update={"class_": "engineering", "facts": {"engineering": True, "solvable_now": False}}
        )
        await harness.topic_client.publish(case_event(TRIAGE_EVENTS, event, "triage"))
        await wait_for_events(service, "case-1", "registered")
        async with person_client(service, "wang") as wang:
            route = {"action": "route", "role": "service_centre_head", "data": {"department": "repairs"}}
            assert (await wang.post("/v1/cases/case-1/actions", json=route)).status_code == 200
            for attachments in ([document], [PHOTO]):
                survey = {"action": "survey", "role": "quality_engineering", "data": {"attachments": attachments}}
                assert (await wang.post("/v1/cases/case-1/actions", json=survey)).status_code == 200
            events = (await wang.get("/v1/cases/case-1")).json()["events"]
        await wait_for(lambda: _surveys_are_published(harness))
    assert [event.get("missing", []) for event in events if event["event"] == "surveyed"] == [["attachments"], []]
    reminders = [event for event in events if event["event"] == "reminded" and event["rule"] == "photographs_missing"]
    assert [reminder["recipients"] for reminder in reminders] == [["quality_engineering"]]
    for topic in (CASE_EVENTS, department_topic("repairs")):
        surveys = [body for event_id, _, body in await harness.topic_client.read_events(topic) if event_id == "surveyed"]
        assert [survey.get("missing", []) for survey in surveys] == [["attachments"], []]
