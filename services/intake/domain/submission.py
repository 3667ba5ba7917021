"""Registration: which case a submission is, what it lacks, and the event that opens the case."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID, uuid5

from services.intake.domain.complainant import CONTACT_FIELDS, masked, normalised_complainant
from services.intake.domain.number_series import NumberSeries, format_number, series_at
from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.complaint import Complainant, Complaint, Submission
from shared.contracts.events.triage import Registered
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.facts import fit
from shared.procedures.organisation import Source

UUID_NAMESPACE = UUID("6a696573-7500-5000-8000-000000000001")
_EARLIEST_RECEIPT = datetime(1970, 1, 2, tzinfo=UTC)
_E164 = re.compile(r"\+\d{7,15}")
_MAX_FUTURE = timedelta(days=1)
_COPIED = (
    *("received_at", "channel", "kind", "title", "text", "object", "demand", "place", "product", "against"),
    *("happened_at", "attachments"),
)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """Where a source's complaints are registered: its procedure with parameters, the calendar's zone, how contact data is read."""

    source: Source
    bound_procedure: Bound
    zone: tzinfo
    phone_region: str
    pseudonym_key: bytes

    def allows_channel(self, channel: str) -> bool:
        """Whether the source may submit on that channel."""
        return not self.source.channels or channel in self.source.channels


@dataclass(frozen=True, slots=True)
class UnnumberedRegistration:
    """A registration before it has a number; `contact` is what has to be sealed, None if there is none."""

    complaint: Complaint
    bound_procedure: Bound
    series: NumberSeries
    contact: dict[str, Any] | None

    @property
    def case(self) -> str:
        """The case's id."""
        return self.complaint.case


def case_id(source: str, channel: str, reference: str) -> str:
    """The id of what may be sent again: the same for the same source, channel and reference (UUIDv5)."""
    return str(uuid5(UUID_NAMESPACE, f"{len(source)} {source} {channel} {reference}"))


def receipt_time_fault(received_at: datetime, now: datetime) -> SubmissionFault | None:
    """A time of receipt that cannot be: every deadline would start from it."""
    if received_at > now + _MAX_FUTURE:
        return SubmissionFault("received_at", "in_the_future", "send the instant at which the complaint was received")
    if received_at < _EARLIEST_RECEIPT:
        return SubmissionFault("received_at", "too_early", "send the instant at which the complaint was received")
    return None


def prepare_registration(submission: Submission, context: SourceContext, case: str, registered_at: datetime) -> UnnumberedRegistration:
    """The complaint as it will travel, registered at that instant, still without number and seal."""
    who = normalised_complainant(submission.complainant, context.phone_region)
    procedure = context.bound_procedure.procedure
    facts, unfit = fit(procedure, submission.facts)
    missing = _missing(submission, who, procedure.register_.required)
    complaint = Complaint(
        case=case,
        number="",
        source=context.source.id,
        external_id=submission.external_id,
        registered_at=registered_at,
        facts=facts,
        complainant=masked(who, context.pseudonym_key),
        missing=[*missing, *(f"facts.{name}" for name in unfit)],
        **{name: getattr(submission, name) for name in _COPIED},
    )
    contact = who.model_dump(exclude_none=True) if any(getattr(who, name) for name in CONTACT_FIELDS) else None
    return UnnumberedRegistration(complaint, context.bound_procedure, series_at(procedure.id, registered_at, context.zone), contact)


def registered_event(registration: UnnumberedRegistration, seq: int, sealed_contact: str | None) -> Registered:
    """The event that opens the case, under the seq-th number of its book, with contact data sealed."""
    procedure = registration.bound_procedure.procedure
    clause = procedure.register_.clause
    number = format_number(procedure.register_.number, registration.series.year, seq)
    complaint = registration.complaint.model_copy(update={"number": number, "contact": sealed_contact})
    return Registered(
        case=registration.case,
        at=complaint.registered_at,
        procedure=procedure.id,
        version=procedure.version,
        rule="register",
        **_clause_fields(clause),
        by="intake",
        complaint=complaint,
        number=number,
        missing=complaint.missing,
        forms=[form.id for form in procedure.forms if form.opens == Registered.name],
        parameters=registration.bound_procedure.parameters,
    )


def _clause_fields(clause: str | list[str] | None) -> Mapping[str, Any]:
    if clause is None:
        return {}
    return {"clause": clause} if isinstance(clause, str) else {"clause": clause[0], "clauses": list(clause)}


def _missing(submission: Submission, who: Complainant, required: list[str]) -> list[str]:
    return [name for name in required if not _has(submission, who, name)]


def _has(submission: Submission, who: Complainant, name: str) -> bool:
    root, _, field = name.partition(".")
    if root == "complainant" and field:
        # Who wants to stay unknown owes nobody his name: nothing of him is chased.
        value = getattr(who, field, None)
        return who.anonymous or bool(value and (field != "phone" or _E164.fullmatch(value)))
    if root == "facts" and field:
        return field in submission.facts
    return bool(getattr(submission, name, None))
