"""A scenario's complaint, registered as intake registers it; without an organisation any source exists."""

from datetime import datetime, tzinfo

from services.intake.domain.submission import SourceContext, prepare_registration
from services.intake.domain.submission import registered_event as registration
from shared.contracts.complaint import Submission
from shared.contracts.events.triage import Registered
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.organisation import Organisation, Source
from simulator.scenario import ScenarioComplaint

REGION = "CN"
KEY = b"simulation"
SEALED = "sealed"


def register_complaint(complaint: ScenarioComplaint, case: str, number: int, at: datetime, source_context: SourceContext) -> Registered:
    """The registration of a scenario's complaint at that instant."""
    submission = Submission.model_validate(complaint.model_dump(exclude={"id"}, exclude_unset=True))
    made = prepare_registration(submission, source_context, case, at)
    return registration(made, number, SEALED if made.contact else None)


def source_context_for(complaint: ScenarioComplaint, bound: Bound, organisation: Organisation, zone: tzinfo) -> SourceContext:
    """Where the complaint is registered: its source as the organisation knows it, else one of that name."""
    name = complaint.source or "scenario"
    source = organisation.source(name) or Source(id=name, procedure=bound.procedure.id)
    return SourceContext(source, bound, zone, REGION, KEY)
