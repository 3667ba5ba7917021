"""The four services in one process, with people of one organisation who complain and handle."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from services.intake import bootstrap as intake
from services.intake.config import IntakeSettings
from services.notify import bootstrap as notify
from services.notify.config import NotifySettings
from services.sla import bootstrap as sla
from services.sla.config import SlaSettings
from services.triage import bootstrap as triage
from services.triage.config import TriageSettings
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.cli.keeping.four_services import PERSON_TOKENS, PROCEDURE_WITH_COUNTS, FourServices
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, SOURCES, write_yaml
from tests.support.messaging.settings import SettingsFactory

ATTACHMENT_KEY = "an attachment key of the tests"
FOLLOW_KEY = "a follow key of the tests"


def _organisation(folder: Path) -> Path:
    write_yaml(folder / "procedure.yaml", PROCEDURE_WITH_COUNTS)
    people: list[dict[str, Any]] = [
        {"id": "li", "name": "李经理", "roles": ["handler", "keeper"]},
        {"id": "zhao", "name": "赵工", "roles": ["handler"], "department": "engineering"},
    ]
    for person in people:
        person["token_sha256"] = hashlib.sha256(PERSON_TOKENS[person["id"]].encode()).hexdigest()
    content = {
        "id": "test",
        "departments": [{"id": "engineering"}, {"id": "unassigned"}],
        "people": people,
        "sources": SOURCES,
        "may_erase": ["keeper"],
    }
    return write_yaml(folder / "organisation.yaml", content)


@pytest.fixture
async def services(
    make_settings: SettingsFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str
) -> AsyncIterator[FourServices]:
    organisation, store = _organisation(tmp_path), tmp_path / "attachments"
    options: dict[str, Any] = {"sealing_keys": ENCRYPTION_KEYS, "organisation": organisation}
    stored = {"attachment_store": str(store), "attachment_key": ATTACHMENT_KEY}
    settings = make_settings(IntakeSettings, **options, **stored, follow_key=FOLLOW_KEY)
    await apply_topics(settings, [*TOPICS.values(), department_topic("engineering"), department_topic("unassigned")])
    async with AsyncExitStack() as stack:
        running: dict[str, Service] = {}
        for name, service in {
            "intake": intake.build(settings),
            "triage": triage.build(make_settings(TriageSettings, organisation=organisation)),
            "sla": sla.build(make_settings(SlaSettings, organisation=organisation, attachment_key=ATTACHMENT_KEY, follow_key=FOLLOW_KEY)),
            "notify": notify.build(make_settings(NotifySettings, **options, digest_window=0)),
        }.items():
            running[name] = await stack.enter_async_context(service.running())
        environment = {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "JIESU_TOPIC_PREFIX": topic_prefix,
            "JIESU_ENVIRONMENT": "test",
            "JIESU_ORGANISATION": str(organisation),
            "JIESU_SEALING_KEYS": ENCRYPTION_KEYS.get_secret_value(),
            "JIESU_ATTACHMENT_STORE": str(store),
            "JIESU_ATTACHMENT_KEY": ATTACHMENT_KEY,
        }
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        yield FourServices(running, settings, store)
