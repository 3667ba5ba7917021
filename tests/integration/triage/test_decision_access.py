"""Who may read triage's decision on a case: the policy of every service, by the departments that the case's events name."""

from hashlib import sha256

import httpx
import pytest

from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from shared.contracts import topics
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.up_to_approval import Assigned, Reassigned
from tests.integration.triage.conftest import START, send_registration
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import write_organisation
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

PEOPLE = {"li": None, "wang": "engineering", "zhao": "roofs", "qian": "gardens"}
READERS = {
    "proposed": {"li", "wang", "zhao", "qian"},  # to the catch-all: nobody's yet
    "routed": {"li", "wang"},
    "reassigned": {"li", "zhao"},
    "assigned": {"li", "wang", "qian"},
    "accused": {"li"},
}


def event(event_class: type[CaseEvent], case: str, **fields: object) -> CaseEvent:
    return event_class.model_validate({"case": case, "at": START, "role": "handler", "sequence": 5, **fields})


@pytest.fixture
def organisation_settings(settings: TriageSettings) -> TriageSettings:
    people = [
        {"id": name, "roles": ["handler"], "department": department, "token_sha256": sha256(name.encode()).hexdigest()}
        for name, department in PEOPLE.items()
    ]
    departments = [{"id": name} for name in ("engineering", "roofs", "gardens", "unassigned")]
    write_organisation(settings.organisation.parent, people=people, departments=departments)
    return settings


async def test_decision_is_shown_to_whom_the_case_concerns(organisation_settings: TriageSettings, topic_client: TopicClient) -> None:
    async with build(organisation_settings).running() as triage:
        await send_registration(topic_client, "proposed", text="吵")
        for case in ("routed", "reassigned", "assigned"):
            await send_registration(topic_client, case, text="电梯坏了")
        await send_registration(topic_client, "accused", text="电梯坏了", against=["wang"])
        moved = event(Reassigned, "reassigned", department="roofs")
        for changed in (moved, event(Assigned, "assigned", person="qian")):
            await topic_client.publish(case_event(topics.CASE_EVENTS, changed, "sla"))

        async def is_followed() -> bool:
            async with triage.database.transaction() as tx:
                return bool(await tx.fetchval("SELECT count(*) = 2 FROM concerned WHERE department = 'roofs' OR handler = 'qian'"))

        await wait_for(is_followed)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{triage.http_port}") as client:
            statuses = {
                (case, name): (await client.get(f"/v1/decisions/{case}", headers={"Authorization": f"Bearer {name}"})).status_code
                for case in (*READERS, "unknown")
                for name in PEOPLE
            }
    expected = {(case, name): 200 if name in READERS.get(case, ()) else 404 for case in (*READERS, "unknown") for name in PEOPLE}
    assert statuses == expected
