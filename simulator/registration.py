"""Registers a scenario's complaint as intake does; without an organisation every source exists."""

from datetime import datetime, tzinfo

from services.intake.domain.complainant import normal_contact
from services.intake.domain.submission import SourceContext, prepare_registration, registered_event
from shared.contracts.complaint import Submission
from shared.contracts.events.triage import Registered
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.organisation import ComplaintSource, Organisation
from simulator.scenario import ScenarioComplaint

_PHONE_REGION = "CN"
_PSEUDONYM_KEY = b"simulation"
_ENCRYPTED_CONTACT = "sealed"
"""Replaces the encrypted contact data, which no rule reads."""


def register_complaint(complaint: ScenarioComplaint, case: str, number: int, at: datetime, source_context: SourceContext) -> Registered:
    """The `registered` event of a complaint that is registered at `at`."""
    submission = Submission.model_validate(complaint.model_dump(exclude={"id"}, exclude_unset=True))
    registration = prepare_registration(submission, source_context, case, at)
    return registered_event(registration, number, _ENCRYPTED_CONTACT if registration.contact else None)


def source_context_for(complaint: ScenarioComplaint, bound: BoundProcedure, organisation: Organisation, zone: tzinfo) -> SourceContext:
    """The source of a complaint: the organisation's of that name, else a new one."""
    name = complaint.source or "scenario"
    source = organisation.source(name) or ComplaintSource(id=name, procedure=bound.procedure.id)
    shared_contacts = frozenset(normal_contact(text, _PHONE_REGION) for text in organisation.shared_contacts)
    return SourceContext(source, bound, zone, _PHONE_REGION, _PSEUDONYM_KEY, shared_contacts)
