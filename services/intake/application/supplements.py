"""Makes the action that adds the text of a resend to its case, signed as every action on case-actions is."""

import base64
import binascii
from dataclasses import dataclass
from uuid import uuid5

from services.intake.application.registration_result import PendingRegistration
from services.intake.domain.submission import UUID_NAMESPACE
from shared.contracts import topics
from shared.contracts.actions import Action, ActionData
from shared.contracts.envelope import CloudEventRecord
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured
from shared.runtime.kafka.signing import sign

_KEY_BYTES = 32
SUPPLEMENT = "supplement"


@dataclass(frozen=True, slots=True)
class SupplementSigner:
    """Signs supplements with the key `key_id` of a source of the organisation file, which acts in the role `system`."""

    key_id: str
    private_key: bytes
    clock: Clock

    def record(self, submission: PendingRegistration) -> CloudEventRecord:
        """The action `supplement` with the submission's text; its id is the same whenever the same submission comes again."""
        topic, case = topics.CASE_ACTIONS.name, submission.case
        event_id = str(uuid5(UUID_NAMESPACE, f"{SUPPLEMENT} {case} {submission.fingerprint.hex()}"))
        data = ActionData(text=submission.submission.text, attachments=submission.submission.attachments)
        body = Action(case=case, action=SUPPLEMENT, data=data).model_dump_json(by_alias=True, exclude_unset=True).encode()
        return CloudEventRecord(
            topic=topic,
            key=case,
            id=event_id,
            type="action",
            at=self.clock.now(),
            body=body,
            source="intake",
            traceparent=submission.traceparent,
            key_id=self.key_id,
            signature=sign(self.private_key, topic, case, event_id, body),
        )


def supplement_signer(setting: str, clock: Clock) -> SupplementSigner | None:
    """The signer of a setting `id:base64`, None for an empty one; raises `Misconfigured`."""
    if not setting:
        return None
    key_id, _, encoded = setting.partition(":")
    try:
        private_key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        private_key = b""
    if not key_id.isascii() or not key_id or len(private_key) != _KEY_BYTES:
        raise Misconfigured(f"JIESU_ACTION_KEY: must be id:base64 of {_KEY_BYTES} bytes; correct it or leave it empty")
    return SupplementSigner(key_id, private_key, clock)
