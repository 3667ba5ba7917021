"""schemathesis over all four services: every answer is one that the OpenAPI document describes, and none is a fault of ours."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import strategies as st
from schemathesis import Case

from services.intake import bootstrap as intake
from services.intake.config import IntakeSettings
from services.notify import bootstrap as notify
from services.notify.config import NotifySettings
from services.notify.providers.signed_gateway import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_receipt
from services.sla import bootstrap as sla
from services.sla.config import SlaSettings
from services.triage import bootstrap as triage
from services.triage.config import TriageSettings
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.notify.notify_process import ORGANISATION, RECEIPT_SECRET
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import PERSON_TOKEN, SlaHarness
from tests.integration.sla.sla_harness import write_organisation as write_sla_organisation
from tests.integration.triage.conftest import TOKEN_SHA256, send_registration
from tests.support.fuzzing import fuzz_service
from tests.support.messaging.sample_organisation import API_KEYS, ENCRYPTION_KEYS, submission_body, write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

# The service runs in this process: its retries draw from the same `random` while hypothesis generates in another thread.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning")
PREVIEWS = "/v1/messages/previews"
EXAMPLES = 30
"""Requests of each operation; the whole module stays below a minute."""


def base_url(service: Service) -> str:
    return f"http://127.0.0.1:{service.http_port}"


def with_known_case(case: Case[Any], data: st.DataObject, known: str) -> None:
    if "case" in case.path_parameters and data.draw(st.booleans()):
        case.path_parameters["case"] = known


@pytest.fixture
async def topics(make_settings: SettingsFactory) -> None:
    await apply_topics(make_settings(SlaSettings), [*TOPICS.values(), department_topic("repairs"), department_topic("gardens")])


@pytest.mark.usefixtures("topics")
async def test_intake_answers_as_it_describes(make_settings: SettingsFactory, tmp_path: Path) -> None:
    settings = make_settings(IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=write_organisation(tmp_path))
    auth = {"Authorization": f"Bearer {API_KEYS['web']}"}
    async with intake.build(settings).running() as service:
        async with httpx.AsyncClient(base_url=base_url(service), headers=auth) as client:
            known = (await client.post("/v1/complaints", json=submission_body())).json()["case"]

        def adapt(case: Case[Any], data: st.DataObject) -> Mapping[str, str]:
            with_known_case(case, data, known)
            if isinstance(case.body, dict) and "text" in case.body and data.draw(st.booleans()):
                case.body["received_at"] = submission_body()["received_at"]
            return auth

        assert await fuzz_service(base_url(service), adapt, EXAMPLES) > EXAMPLES


@pytest.mark.usefixtures("topics")
async def test_triage_answers_as_it_describes(make_settings: SettingsFactory, tmp_path: Path, topic_client: TopicClient) -> None:
    people = [{"id": "li", "roles": ["handler"], "token_sha256": TOKEN_SHA256}]
    settings = make_settings(TriageSettings, organisation=write_organisation(tmp_path, people=people))
    async with triage.build(settings).running() as service:
        await send_registration(topic_client, "known", facts={"policy": "x"})

        async def is_known() -> bool:
            async with service.database.transaction() as tx:
                return bool(await tx.fetchval("SELECT count(*) = 1 FROM known"))

        await wait_for(is_known)

        def adapt(case: Case[Any], data: st.DataObject) -> Mapping[str, str]:
            with_known_case(case, data, "known")
            return {"Authorization": "Bearer li-token"}

        assert await fuzz_service(base_url(service), adapt, EXAMPLES) > EXAMPLES


@pytest.mark.usefixtures("topics")
async def test_sla_answers_as_it_describes(make_settings: SettingsFactory, tmp_path: Path, topic_client: TopicClient) -> None:
    settings = make_settings(SlaSettings, organisation=write_sla_organisation(tmp_path / "organisation.yaml"), requests_per_second=10_000)
    harness = SlaHarness(settings, topic_client)
    async with sla.build(settings).running() as service:
        await harness.send_first_decision("known")
        await wait_for_events(service, "known", "registered")

        def adapt(case: Case[Any], data: st.DataObject) -> Mapping[str, str]:
            with_known_case(case, data, "known")
            if isinstance(case.body, dict) and data.draw(st.booleans()):
                case.body |= {"action": data.draw(st.sampled_from(sorted(ACTION_DEFINITIONS))), "role": "assistant"}
            return {"Authorization": f"Bearer {PERSON_TOKEN}"}

        assert await fuzz_service(base_url(service), adapt, EXAMPLES) > EXAMPLES


@pytest.mark.usefixtures("topics")
async def test_notify_answers_as_it_describes(make_settings: SettingsFactory, tmp_path: Path) -> None:
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text(ORGANISATION, encoding="utf-8")
    settings = make_settings(
        NotifySettings, sealing_keys=ENCRYPTION_KEYS, organisation=organisation, sms_receipt_secret=RECEIPT_SECRET, smtp_host="127.0.0.1"
    )
    async with notify.build(settings).running() as service:

        def adapt(case: Case[Any], data: st.DataObject) -> Mapping[str, str]:
            if case.path == PREVIEWS:
                return {"Authorization": f"Bearer {PERSON_TOKEN}"} if data.draw(st.booleans()) else {}
            content = case.as_transport_kwargs().get("json")
            if content is None or data.draw(st.booleans()):
                return {}
            timestamp = str(int(time.time()))
            signature = sign_receipt(RECEIPT_SECRET.get_secret_value(), timestamp, orjson.dumps(content))
            return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature}

        assert await fuzz_service(base_url(service), adapt, EXAMPLES) > EXAMPLES
