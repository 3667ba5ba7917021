"""A scenario's complaint, registered as intake registers it; without an organisation any source exists."""

from datetime import datetime, tzinfo

from services.intake.domain.submission import Office, draft
from services.intake.domain.submission import registered as registration
from shared.contracts.complaint import Submission
from shared.contracts.events.triage import Registered
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.organisation import Organisation, Source
from simulator.scenario import Complained

REGION = "CN"
KEY = b"simulation"
SEALED = "sealed"


def registered(complained: Complained, case: str, number: int, at: datetime, office: Office) -> Registered:
    """The registration of a scenario's complaint at that instant."""
    submission = Submission.model_validate(complained.model_dump(exclude={"id"}, exclude_unset=True))
    made = draft(submission, office, case, at)
    return registration(made, number, SEALED if made.contact else None)


def office(complained: Complained, bound: Bound, organisation: Organisation, zone: tzinfo) -> Office:
    """Where the complaint is registered: its source as the organisation knows it, else one of that name."""
    name = complained.source or "scenario"
    source = organisation.source(name) or Source(id=name, procedure=bound.procedure.id)
    return Office(source, bound, zone, REGION, KEY)
