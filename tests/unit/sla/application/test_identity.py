"""Actors of bearer tokens and signing keys."""

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.sla.application.identity import IdentityRegistry
from shared.contracts.topics import CASE_ACTIONS
from shared.procedures.access import Actor
from shared.procedures.organisation import Organisation
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.signing import sign
from tests.support.messaging.cloud_events import raw_record

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)
EVENT_ID = UUID(int=1)
BODY = b'{"case": "c1"}'
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC_KEY = base64.b64encode(PRIVATE_KEY.public_key().public_bytes_raw()).decode()
ORGANISATION = Organisation.model_validate(
    {
        "id": "estate",
        "people": [{"id": "li", "roles": ["assistant"], "keys": {"li-1": PUBLIC_KEY}}],
        "sources": [{"id": "hotline", "procedure": "hunan-property", "keys": {"hotline-1": PUBLIC_KEY}}],
    }
)
IDENTITIES = IdentityRegistry(ORGANISATION)


def record(key_id: str, body: bytes = BODY) -> ReceivedRecord:
    """A record of case-actions whose signature covers BODY."""
    signature = sign(PRIVATE_KEY.private_bytes_raw(), CASE_ACTIONS.name, "c1", str(EVENT_ID), BODY)
    fields: dict[str, Any] = {"type": "action", "at": NOW, "recorded_at": NOW, "event": None, "source": "", "sequence": None}
    return ReceivedRecord(
        raw=raw_record(CASE_ACTIONS.name, "c1", body),
        id=EVENT_ID,
        headers={"jiesu-key": key_id, "jiesu-signature": signature},
        traceparent=None,
        **fields,
    )


@pytest.mark.parametrize(("key_id", "actor_id"), [("li-1", "li"), ("hotline-1", "hotline")])
def test_signed_record_names_its_actor(key_id: str, actor_id: str) -> None:
    signed = record(key_id)
    assert IDENTITIES.has_valid_signature(signed)
    assert IDENTITIES.signer(signed.headers).id == actor_id


@pytest.mark.parametrize("forged", [record("unknown"), record("li-1", body=b"{}"), record("")])
def test_unknown_key_or_changed_body_is_no_valid_signature(forged: ReceivedRecord) -> None:
    assert not IDENTITIES.has_valid_signature(forged)


def test_actor_without_a_person_is_a_source() -> None:
    assert IDENTITIES.actor_by_id("hotline") == Actor("hotline")
