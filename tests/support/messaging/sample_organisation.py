"""A sample organisation with its procedure and source keys, and complaints as a source sends and intake publishes them."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from shared.contracts.complaint import Complaint
from shared.contracts.events.triage import Registered

ENCRYPTION_KEYS = SecretStr("k1:" + "A" * 43 + "=")
"""One key, as JIESU_SEALING_KEYS takes it."""
API_KEYS = {"web": "web-key", "hotline": "hotline-key", "slow": "slow-key"}
PROCEDURE: dict[str, Any] = {
    "id": "shop",
    "version": 3,
    "title": {"zh": "投诉", "en": "Complaints"},
    "register": {"number": "TS-{year}-{seq:05}", "required": ["text", "received_at", "complainant.phone"], "clause": "2"},
    "roles": ["handler"],
    "facts": {
        "media": {"type": "bool", "default": False},
        "persons": {"type": "int", "default": 1},
        "policy": {"type": "text", "default": ""},
        "fault_kind": {"type": "text", "default": ""},
    },
    "classes": [
        {"id": "urgent", "rule": "media", "when": "facts.media", "clause": "4.1"},
        {"id": "batch", "when": "facts.persons > 1000", "clause": "4.2"},
        {"id": "ordinary", "clause": "4.3"},
    ],
    "subjects": [{"id": "lift", "words": ["电梯"], "department": "engineering"}],
    "counts": [
        {
            "id": "same_policy",
            "key": "facts.policy",
            "threshold": 3,
            "clause": "5.1",
            "does": {"as": "group", "reclassify": "batch", "rule": "mass"},
        },
        {
            "id": "burst",
            "key": "facts.fault_kind",
            "threshold": 4,
            "window": "30m",
            "clause": "5.2",
            "does": {"as": "same_event", "reclassify": "batch"},
        },
    ],
    "forms": [{"id": "handling_sheet", "clause": "2"}, {"id": "later", "opens": "routed"}],
}
SOURCES: list[dict[str, Any]] = [
    {"id": "web", "procedure": "procedure.yaml", "key_sha256": [sha256(b"web-key").hexdigest()]},
    {"id": "hotline", "procedure": "procedure.yaml", "channels": ["hotline"], "key_sha256": [sha256(b"hotline-key").hexdigest()]},
    {"id": "slow", "procedure": "procedure.yaml", "rate_per_second": 0.01, "key_sha256": [sha256(b"slow-key").hexdigest()]},
]


def token_of(person: str) -> str:
    """The `token_sha256` of a person who sends the token `<id>-token`."""
    return sha256(f"{person}-token".encode()).hexdigest()


def write_organisation(folder: Path, **changes: Any) -> Path:
    """Write the organisation and its procedure to the folder; `changes` replace top-level keys. Returns the organisation's file."""
    write_yaml(folder / "procedure.yaml", PROCEDURE)
    departments = [{"id": "engineering"}, {"id": "unassigned"}]
    return write_yaml(folder / "organisation.yaml", {"id": "test", "departments": departments, "sources": SOURCES} | changes)


def write_yaml(path: Path, content: Any) -> Path:
    """Write the file and return its path."""
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def submission_body(**fields: Any) -> dict[str, Any]:
    """A submission of now as a source sends it."""
    complainant = {"name": "王先生", "phone": "138 0000 1234"}
    return {
        "received_at": datetime.now(UTC).isoformat(),
        "text": "3号楼电梯停运",
        "channel": "hotline",
        "complainant": complainant,
    } | fields


def sample_complaint(case: str, at: datetime, **fields: Any) -> Complaint:
    """A complaint that was received and registered at that time."""
    values = {
        "case": case,
        "number": "TS-2026-00001",
        "source": "web",
        "received_at": at,
        "registered_at": at,
        "channel": "hotline",
        "text": "吵",
    }
    return Complaint.model_validate(values | fields)


def registered_event(complaint: Complaint, procedure: str, version: int) -> Registered:
    """The registration of a complaint under a procedure, as intake publishes it."""
    return Registered(
        case=complaint.case,
        at=complaint.registered_at,
        procedure=procedure,
        version=version,
        complaint=complaint,
        number=complaint.number,
    )
