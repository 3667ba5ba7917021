"""From intake to sla: the action that intake signs for a changed resend becomes `supplemented` on its case."""

import base64
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.intake.application.registration_result import PendingRegistration
from services.intake.application.supplements import supplement_signer
from services.sla.application.case_batch import CaseBatch
from services.sla.application.cases import UpdateCases
from services.sla.application.identity import IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.views import event_mapping
from services.sla.storage.cases import StoredCase
from shared.contracts.actions import Action
from shared.contracts.complaint import Submission
from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER
from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.kafka.record import ReceivedRecord
from simulator.registration import source_context_for
from simulator.scenario import ScenarioComplaint
from tests.integration.sla.sla_harness import first_decision
from tests.support.messaging.cloud_events import raw_record

NOW = datetime(2026, 9, 24, 2, tzinfo=UTC)
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(b"i" * 32)
ORGANISATION = Organisation.model_validate(
    {
        "id": "estate",
        "people": [{"id": "li", "roles": ["assistant"]}],
        "sources": [
            {
                "id": "intake",
                "procedure": "hunan-property",
                "keys": {"intake-1": base64.b64encode(PRIVATE_KEY.public_key().public_bytes_raw()).decode()},
            }
        ],
    }
)


def test_changed_resend_that_intake_signs_is_a_supplement_of_the_case_in_sla() -> None:
    clock = Clock()
    rulebooks, identities = RulebookRegistry(ORGANISATION), IdentityRegistry(ORGANISATION)
    update_cases = UpdateCases(rulebooks, identities, clock)
    batch = CaseBatch(rulebooks, NOW, update_cases.resolve_pending, {"c1": StoredCase()})
    procedure = rulebooks.procedure("hunan-property", 1)
    batch.decide("c1", event_mapping.to_open_case(first_decision("c1", NOW), procedure))
    record = signed_by_intake(rulebooks, clock)
    assert identities.has_valid_signature(record)
    case = batch.case("c1")
    assert case is not None
    text_before = case.complaint["text"]
    actor = identities.signer(record.headers)
    [supplemented, *rest] = batch.decide("c1", update_cases.to_action_input(record.event, actor, case, NOW))
    assert (supplemented.type, supplemented.data["role"], supplemented.data["text"]) == ("supplemented", "system", "又停了")
    assert [event.type for event in rest] == ["notification_requested"]
    after = batch.case("c1")
    assert after is not None
    assert after.complaint["text"] == f"{text_before}\n\n又停了"


def signed_by_intake(rulebooks: RulebookRegistry, clock: Clock) -> ReceivedRecord:
    """The record that intake writes for a resend with another text, as sla reads it."""
    signer = supplement_signer(f"intake-1:{base64.b64encode(PRIVATE_KEY.private_bytes_raw()).decode()}", clock)
    assert signer is not None
    bound = rulebooks.get("hunan-property", 1, {}).bound_procedure
    fields = {"received_at": NOW.isoformat(), "text": "又停了", "external_id": "A-1"}
    context = source_context_for(ScenarioComplaint.model_validate(fields), bound, ORGANISATION, UTC)
    written = signer.record(PendingRegistration(Submission.model_validate(fields), context, "c1", b"f" * 32))
    return ReceivedRecord(
        raw=raw_record(written.topic, written.key, written.body),
        id=UUID(str(written.id)),
        type=written.type,
        at=NOW,
        recorded_at=NOW,
        headers={KEY_ID_HEADER: written.key_id or "", SIGNATURE_HEADER: written.signature or ""},
        event=Action.model_validate_json(written.body),
        source="intake",
        sequence=None,
        traceparent=None,
    )
