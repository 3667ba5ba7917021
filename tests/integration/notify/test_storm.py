"""600 breaches to 40 people on a real broker, database and mail server while notify is killed: few messages, each named in its case."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.sinks import MailSink
from services.notify.config import NotifySettings
from shared.contracts import topics
from shared.contracts.events.notifications import NotificationRequested
from shared.runtime.database.database import Database
from shared.runtime.kafka.topic_admin import apply_topics
from tests.integration.notify.notify_process import notification_request
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS
from tests.support.messaging.topic_client import TopicClient
from tests.support.repository import PROJECT
from tests.support.waiting import wait_for

BREACHES, PEOPLE, URGENT_EVERY = 600, 40, 50
# Longer than the restart of notify after a kill on a slow machine: a window that ends meanwhile opens one more digest a person.
DIGEST_WINDOW = 10.0
DEADLINE = 60.0


def breach(number: int) -> NotificationRequested:
    values = {"number": f"TS-{number:06}", "title": "三日内答复", "overdue": True, "due_at": "2026-09-24T08:00:00+08:00"}
    person, urgent = f"p{number % PEOPLE}", number % URGENT_EVERY == 0
    return notification_request(f"c{number}", persons=[person], about="clock_breached", urgent=urgent, notification="n", values=values)


@pytest.fixture
def environment(settings: NotifySettings, tmp_path: Path) -> dict[str, str]:
    people = [{"id": f"p{number}", "name": f"P{number}", "email": f"p{number}@example.com"} for number in range(PEOPLE)]
    organisation = tmp_path / "storm.yaml"
    organisation.write_text(yaml.safe_dump({"id": "demo", "people": people}), encoding="utf-8")
    return os.environ | {
        "JIESU_ENVIRONMENT": "test",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "JIESU_TOPIC_PREFIX": settings.topic_prefix,
        "JIESU_ORGANISATION": str(organisation),
        "JIESU_SEALING_KEYS": ENCRYPTION_KEYS.get_secret_value(),
        "JIESU_SMTP_HOST": "127.0.0.1",
        "JIESU_SMTP_PORT": str(settings.smtp_port),
        "JIESU_SMTP_SECURITY": "none",
        "JIESU_HTTP_PORT": "0",
        "JIESU_SMTP_TIMEOUT": "4",
        "JIESU_SMS_TIMEOUT": "4",
        "JIESU_DELIVERY_LEASE": "6",
        "JIESU_DELIVERY_RETRY_FIRST": "0.1",
        "JIESU_LOG_LEVEL": "WARNING",
        "JIESU_DIGEST_WINDOW": str(DIGEST_WINDOW),
        "JIESU_DIGEST_URGENT_GAP": "2",
    }


@asynccontextmanager
async def running_notify(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """notify in a process of its own, killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.notify", cwd=PROJECT, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def carried(database: Database, *statuses: str) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM delivery WHERE merged = 'digest' AND status = ANY($1)", list(statuses)))


async def read_outcomes(topic_client: TopicClient) -> list[dict[str, Any]]:
    """The outcomes on notify's topic, without those that the relay repeated."""
    events = await topic_client.read_events(topics.NOTIFICATION_EVENTS)
    return list({(body["delivery"], kind): {"type": kind, **body} for kind, _, body in events}.values())


async def has_all_outcomes(topic_client: TopicClient) -> list[dict[str, Any]]:
    outcomes = await read_outcomes(topic_client)
    return outcomes if len(outcomes) >= BREACHES else []


@pytest.mark.timeout(240)
async def test_storm_is_few_messages_and_every_outcome_names_the_one_that_carried_it(
    settings: NotifySettings, environment: dict[str, str], database: Database, topic_client: TopicClient, mail: MailSink
) -> None:
    await apply_topics(settings, [topics.CASE_EVENTS, topics.MAIL_EVENTS, topics.NOTIFICATION_EVENTS])
    await topic_client.publish_all([case_event(topics.CASE_EVENTS, breach(number), "sla") for number in range(BREACHES)])
    async with running_notify(environment):
        await wait_for(lambda: carried(database, "pending", "sent"), deadline=DEADLINE, what="requests joined digests", pause=0.2)
    async with running_notify(environment):
        await wait_for(lambda: carried(database, "sent"), deadline=DEADLINE, what="outcomes of digests are published", pause=0.2)
    async with running_notify(environment):
        outcomes = await wait_for(lambda: has_all_outcomes(topic_client), deadline=DEADLINE, what="an outcome for every breach", pause=0.2)
    assert Counter(outcome["type"] for outcome in outcomes) == {"notification_sent": BREACHES}
    assert {outcome["case"] for outcome in outcomes} == {f"c{number}" for number in range(BREACHES)}
    messages = mail.message_file.messages
    assert len(messages) <= 5 * PEOPLE
    texts = {key.strip("<>").partition("@")[0]: message["subject"] + message["text"] for key, message in messages.items()}
    unnamed = [o["case"] for o in outcomes if f"TS-{int(o['case'][1:]):06}" not in texts[o.get("carried_by") or o["delivery"]]]
    # That urgent ones come first is shown without kills (test_digests): what a killed process had claimed waits for its lease.
    assert unnamed == []
