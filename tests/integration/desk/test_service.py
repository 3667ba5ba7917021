"""The running service: records of the topics reach a page over HTTP."""

import re

import httpx
from prometheus_client import REGISTRY

from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from services.desk.session import Session
from shared.contracts import topics
from shared.contracts.events.triage import Routed
from shared.procedures.loading.loader import load_organisation
from shared.runtime.kafka.topic_admin import apply_topics
from tests.integration.desk.conftest import CSRF, START, FixedSessions, registration
from tests.support.messaging.cloud_events import case_event, cloud_event
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for


def projected() -> float:
    return REGISTRY.get_sample_value("jiesu_desk_projected_events_total", {"topic": topics.CASE_EVENTS.name}) or 0.0


async def test_an_event_on_a_topic_reaches_the_page(desk_settings: DeskSettings, topic_client: TopicClient) -> None:
    await apply_topics(desk_settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.NOTIFICATION_EVENTS])
    service = build(desk_settings.model_copy(update={"http_port": 0, "desk_path": ""}))
    sessions = service.app.state.sessions = FixedSessions()
    person = load_organisation(desk_settings.organisation).person("he")
    assert person is not None
    sessions.session = Session(person, ("handler",), ("lifts",), "token", CSRF)
    before = projected()
    async with service.running(), httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}") as browser:
        await topic_client.publish(case_event(topics.COMPLAINT_EVENTS, registration("c1", number="TS-1"), "jiesu/intake"))
        await topic_client.publish(cloud_event(topics.CASE_EVENTS, "c1", "closed", b"no JSON", "jiesu/sla"))
        routed = Routed(case="c2", at=START, procedure="shop", version=3, department="lifts", sequence=2)
        for event in (registration("c2", number="TS-2").model_copy(update={"sequence": 1}), routed):
            await topic_client.publish(case_event(topics.CASE_EVENTS, event, "jiesu/sla"))

        async def both_are_shown() -> bool:
            page = await browser.get("/", headers={"Accept": "text/html", "Accept-Language": "en"})
            return {"TS-1", "TS-2"} <= set(re.findall(r"TS-\d", page.text)) and re.search(r"as of \d+ s ago", page.text) is not None

        await wait_for(both_are_shown, deadline=60, what="both cases on the page")
        assert (await browser.get("/ready")).status_code == 200
        assert projected() - before == 2
        async with service.database.transaction() as tx:
            assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 1
