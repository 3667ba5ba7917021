"""An organisation for sla's tests, and senders of the records that triage and departments send."""

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.sla.bootstrap import build
from services.sla.config import SlaSettings
from shared.contracts.events.triage import Classified
from shared.contracts.topics import CASE_ACTIONS, TRIAGE_EVENTS
from shared.runtime.service import Service
from tests.support.messaging.cloud_events import case_event, cloud_event, signature_headers
from tests.support.messaging.key_client import key_client
from tests.support.messaging.sample_organisation import registered_event, sample_complaint, write_yaml
from tests.support.messaging.topic_client import TopicClient

PERSON_TOKEN = "a token of the tests"
OTHER_DEPARTMENT_TOKEN = "a token of another department"
SIGNING_KEY = Ed25519PrivateKey.generate()
PUBLIC_KEY = base64.b64encode(SIGNING_KEY.public_key().public_bytes_raw()).decode()
CALENDAR = {
    "id": "default",
    "version": "1",
    "schedule": "none",
    "hours": {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
}


def write_organisation(path: Path, **changes: Any) -> Path:
    """Write the organisation file; `changes` replace top-level keys."""
    data: dict[str, Any] = {
        "id": "estate",
        "departments": [{"id": "repairs", "head": "zhao"}, {"id": "gardens"}],
        "people": [
            {
                "id": "li",
                "roles": ["assistant", "supervisor"],
                "email": "li@example.org",
                "token_sha256": hashlib.sha256(PERSON_TOKEN.encode()).hexdigest(),
                "keys": {"li-1": PUBLIC_KEY, "li-2": PUBLIC_KEY},
            },
            {"id": "zhao", "roles": ["handler"], "department": "repairs"},
            {
                "id": "qian",
                "roles": ["handler"],
                "department": "gardens",
                "token_sha256": hashlib.sha256(OTHER_DEPARTMENT_TOKEN.encode()).hexdigest(),
            },
            {"id": "sun", "roles": ["management"]},
        ],
        "line": {"assistant": "supervisor", "supervisor": "management"},
        "sources": [{"id": "hotline", "procedure": "hunan-property", "keys": {"hotline-1": PUBLIC_KEY}}],
        "fallback": "sun",
        **changes,
    }
    return write_yaml(path, data)


def first_decision(case: str, received: datetime, **facts: Any) -> Classified:
    """Triage's first decision on a complaint under hunan-property."""
    complaint = sample_complaint(case, received, source="hotline", text="三号楼电梯停运", facts=facts, contact="sealed")
    fields = {"case": case, "at": received, "procedure": "hunan-property", "version": 1, "class": "valid", "kind": "complaint"}
    registered = registered_event(complaint, "hunan-property", 1)
    return Classified.model_validate({**fields, "registered": registered, "clause": "2.2.1"})


@dataclass
class SlaHarness:
    """Settings to build sla with, and senders of records to its topics."""

    settings: SlaSettings
    topic_client: TopicClient

    def build(self) -> Service:
        """A new sla service."""
        return build(self.settings)

    async def send_first_decision(self, case: str, received: datetime | None = None, **facts: Any) -> None:
        """Send triage's first decision on a case."""
        event = first_decision(case, received or datetime.now(UTC) - timedelta(minutes=1), **facts)
        await self.topic_client.publish(case_event(TRIAGE_EVENTS, event, "triage"))

    async def send_action(
        self, case: str, action: str, *, key_id: str = "li-1", role: str = "assistant", forged: bool = False, **data: Any
    ) -> None:
        """Send an action on case-actions, signed with SIGNING_KEY; a forged one has the signature of another body."""
        record = cloud_event(CASE_ACTIONS, case, "action", {"case": case, "action": action, "role": role, "data": data})
        signed = replace(record, body=record.body + b" ") if forged else record
        await self.topic_client.publish(record, signature_headers(SIGNING_KEY.private_bytes_raw(), key_id, signed))


async def event_types(service: Service, case: str) -> list[str]:
    """The types of a case's events, in order."""
    async with service.database.transaction() as tx:
        rows = await tx.fetch("SELECT type FROM ledger WHERE case_id = $1 ORDER BY sequence", case)
    return [row["type"] for row in rows]


def person_client(service: Service, token: str = PERSON_TOKEN) -> httpx.AsyncClient:
    """An HTTP client with a person's token."""
    return key_client(service, token)
