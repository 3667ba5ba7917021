"""An organisation for sla's tests, and senders of the records that triage and departments send."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import yaml
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.sla.bootstrap import build
from services.sla.config import SlaSettings
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import decode_event, encode_event
from shared.contracts.events.triage import Classified, Registered
from shared.contracts.topics import CASE_ACTIONS, PARTITIONS, TRIAGE_EVENTS, Topic
from shared.runtime.clock import uuid7
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import RawRecord, ReceivedRecord
from shared.runtime.kafka.signing import sign
from shared.runtime.service import Service

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
                "keys": {"li-1": PUBLIC_KEY},
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
        "sources": [{"id": "hotline", "procedure": "hunan-property"}],
        "fallback": "sun",
        **changes,
    }
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def first_decision(case: str, received: datetime, **facts: Any) -> Classified:
    """Triage's first decision on a complaint under hunan-property."""
    envelope: dict[str, Any] = {"case": case, "at": received, "procedure": "hunan-property", "version": 1}
    complaint = {
        "case": case,
        "number": "TS-2026-00001",
        "source": "hotline",
        "received_at": received,
        "registered_at": received,
        "channel": "hotline",
        "text": "三号楼电梯停运",
        "facts": facts,
        "contact": "sealed",
    }
    registered = Registered.model_validate({**envelope, "complaint": complaint, "number": "TS-2026-00001"})
    return Classified.model_validate({**envelope, "class": "valid", "kind": "complaint", "registered": registered, "clause": "2.2.1"})


@dataclass
class SlaHarness:
    """Settings to build sla with, and senders of records to its topics."""

    settings: SlaSettings
    producer: AIOKafkaProducer

    def build(self) -> Service:
        """A new sla service."""
        return build(self.settings)

    async def send_first_decision(self, case: str, received: datetime | None = None, **facts: Any) -> None:
        """Send triage's first decision on a case."""
        event = first_decision(case, received or datetime.now(UTC) - timedelta(minutes=1), **facts)
        await self.send_record(TRIAGE_EVENTS, case, "classified", encode_event(event))

    async def send_action(
        self, case: str, action: str, *, key_id: str = "li-1", role: str = "assistant", forged: bool = False, **data: Any
    ) -> None:
        """Send an action on case-actions, signed with SIGNING_KEY; a forged one has the signature of another body."""
        body = orjson.dumps({"case": case, "action": action, "role": role, "data": data})
        event_id = uuid7()
        signature = sign(SIGNING_KEY.private_bytes_raw(), CASE_ACTIONS.name, case, event_id, body + (b" " if forged else b""))
        await self.send_record(CASE_ACTIONS, case, "action", body, event_id, [("jiesu-key", key_id), ("jiesu-signature", signature)])

    async def send_record(
        self, topic: Topic, case: str, kind: str, body: bytes, event_id: str | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """One record."""
        message = CloudEventRecord(
            topic=topic.name, key=case, id=event_id or uuid7(), type=kind, at=datetime.now(UTC), body=body, source="/test"
        )
        all_headers = [*message.kafka_headers(), *((name, value.encode()) for name, value in headers)]
        await self.producer.send_and_wait(f"{self.settings.topic_prefix}{topic.name}", body, key=case.encode(), headers=all_headers)


def received_record(event: Classified) -> ReceivedRecord:
    """A record of triage-events as the consumer decodes it."""
    body = encode_event(event)
    return ReceivedRecord(
        raw=RawRecord(
            topic=TRIAGE_EVENTS.name,
            partition=partition_of(event.case, PARTITIONS),
            offset=0,
            timestamp_ms=0,
            timestamp_type=1,
            key=event.case,
            raw_key=event.case.encode(),
            body=body,
            headers=(),
        ),
        id=UUID(uuid7()),
        type=event.name,
        at=event.at,
        recorded_at=event.at,
        headers={},
        event=decode_event(event.name, body),
        source="triage",
        sequence=1,
        traceparent=None,
    )


async def event_types(service: Service, case: str) -> list[str]:
    """The types of a case's events, in order."""
    async with service.database.transaction() as tx:
        rows = await tx.fetch("SELECT type FROM ledger WHERE case_id = $1 ORDER BY sequence", case)
    return [row["type"] for row in rows]


def person_client(service: Service, token: str = PERSON_TOKEN) -> httpx.AsyncClient:
    """An HTTP client with a person's token."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}", headers={"Authorization": f"Bearer {token}"})
