"""The four services in this process, on the servers and topics of one test, with a source and a person for their HTTP interfaces."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from services.intake.bootstrap import build as build_intake
from services.intake.config import IntakeSettings
from services.notify.bootstrap import build as build_notify
from services.notify.config import NotifySettings
from services.sla.bootstrap import build as build_sla
from services.sla.config import SlaSettings
from services.triage.bootstrap import build as build_triage
from services.triage.config import TriageSettings
from shared.contracts.topics import SERVICES, TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.support.messaging.key_client import key_client
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, write_yaml
from tests.support.messaging.settings import SettingsFactory

SOURCE_KEY = "the key of the source"
PERSON_TOKEN = "the token of the assistant"
PROCEDURE = "hunan-property"


def write_estate(folder: Path, **changes: Any) -> Path:
    """An organisation under `hunan-property` with one source and people who get mails; returns its file."""
    people = [
        {"id": "li", "roles": ["assistant", "supervisor"], "email": "li@example.org", "token_sha256": _hash(PERSON_TOKEN)},
        {"id": "zhao", "roles": ["handler"], "department": "repairs", "email": "zhao@example.org"},
        {"id": "sun", "roles": ["management"], "email": "sun@example.org"},
    ]
    organisation = {
        "id": "estate",
        "departments": [{"id": "repairs", "head": "zhao"}, {"id": "gardens"}],
        "people": people,
        "line": {"assistant": "supervisor", "supervisor": "management"},
        "sources": [{"id": "hotline", "procedure": PROCEDURE, "key_sha256": [_hash(SOURCE_KEY)], "entered_by": ["assistant"]}],
        "fallback": "sun",
    }
    return write_yaml(folder / "organisation.yaml", organisation | changes)


async def apply_all_topics(settings: RuntimeSettings) -> None:
    """Create every topic that the four services use under `write_estate`."""
    await apply_topics(settings, [*TOPICS.values(), department_topic("repairs"), department_topic("gardens")])


def build_services(settings: SettingsFactory, organisation: Path, **options: Any) -> dict[str, Service]:
    """Those that work on cases, by name, not started; `options` are settings of all, `notify` and its like mappings of those of one."""
    own = {name: options.pop(name, {}) for name in SERVICES}
    of_one = {name: {"organisation": organisation, **options, **own[name]} for name in SERVICES}
    sealing = {"sealing_keys": ENCRYPTION_KEYS}
    return {
        "intake": build_intake(settings(IntakeSettings, **sealing | of_one["intake"])),
        "triage": build_triage(settings(TriageSettings, **of_one["triage"])),
        "sla": build_sla(settings(SlaSettings, **of_one["sla"])),
        "notify": build_notify(settings(NotifySettings, **sealing | {"digest_window": 0} | of_one["notify"])),
    }


@asynccontextmanager
async def running(services: dict[str, Service]) -> AsyncIterator[dict[str, Service]]:
    """Start the services for the length of a block."""
    async with AsyncExitStack() as stack:
        for service in services.values():
            await stack.enter_async_context(service.running())
        yield services


def http_client(service: Service, key: str = SOURCE_KEY, **options: Any) -> httpx.AsyncClient:
    """A client of the service that sends the key of the source, or a token."""
    return key_client(service, key, **options)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
