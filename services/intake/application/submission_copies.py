"""Raw copies of submissions in JSON, by HTTP or Kafka: of each refused one, and of accepted ones by JIESU_RAW_KEEP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.intake.application.raw_copies import RawSubmission

VIA_HTTP, VIA_KAFKA = "http", "kafka"
IDEMPOTENCY_KEY, RECORD_ID, ACCEPTED_AT, CASE = "idempotency-key", "ce_id", "accepted-at", "case"
"""Headers of a copy: without them a reading of the copy would give another case or another judgement of the time of receipt."""

_REFERENCE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SubmissionOrigin:
    """The sender and the marks of a submission: by HTTP the item's Idempotency-Key, by Kafka the record's id."""

    source: str
    channel: str
    accepted_at: datetime
    idempotency_key: str | None = None
    record_id: str | None = None


def submission_copy(origin: SubmissionOrigin, document: Any, content: bytes | None = None) -> RawSubmission:
    """The copy of a JSON value, or of the bytes in which it came; its reference is the external id, else the record's id."""
    marks = {IDEMPOTENCY_KEY: origin.idempotency_key, RECORD_ID: origin.record_id, ACCEPTED_AT: origin.accepted_at.isoformat()}
    headers = {name: text for name, text in marks.items() if text}
    reference = _external_id(document) or origin.record_id or ""
    return RawSubmission(origin.source, origin.channel, reference, orjson.dumps(document) if content is None else content, headers)


def copied_origin(copy: RawSubmission, raw_id: str) -> SubmissionOrigin:
    """The origin of a copied submission; one without any mark of its own has the id of the copy, so that it is registered once."""
    headers: Mapping[str, str] = copy.headers
    return SubmissionOrigin(
        copy.source,
        copy.channel,
        datetime.fromisoformat(headers[ACCEPTED_AT]),
        headers.get(IDEMPOTENCY_KEY),
        headers.get(RECORD_ID) or f"raw {raw_id}",
    )


def _external_id(document: Any) -> str:
    text = document.get("external_id") if isinstance(document, dict) else None
    return text[:_REFERENCE_LENGTH] if isinstance(text, str) else ""
