"""Prepares the registration of a submission: case id, missing fields, complaint and `registered` event."""

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
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.facts import coerce_facts
from shared.procedures.organisation import ComplaintSource

UUID_NAMESPACE = UUID("6a696573-7500-5000-8000-000000000001")
# Rules read an unset instant as 1970-01-01.
_EARLIEST_RECEIPT = datetime(1970, 1, 2, tzinfo=UTC)
_E164 = re.compile(r"\+\d{7,15}")
_MAX_FUTURE = timedelta(days=1)
_COPIED_FIELDS = (
    *("received_at", "channel", "kind", "title", "text", "object", "demand", "place", "product", "against"),
    *("happened_at", "attachments"),
)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What registration needs to know about one source; `zone` is that of the procedure's calendar, `phone_region` an ISO 3166 code."""

    source: ComplaintSource
    bound_procedure: BoundProcedure
    zone: tzinfo
    phone_region: str
    pseudonym_key: bytes

    def allows_channel(self, channel: str) -> bool:
        """Whether the source may submit on this channel."""
        return not self.source.channels or channel in self.source.channels


@dataclass(frozen=True, slots=True)
class UnnumberedRegistration:
    """A registration without a case number; `contact` is the contact data in clear text, None without any."""

    complaint: Complaint
    bound_procedure: BoundProcedure
    series: NumberSeries
    contact: dict[str, Any] | None

    @property
    def case(self) -> str:
        """The case's id."""
        return self.complaint.case


def case_id(source: str, channel: str, reference: str) -> str:
    """The case id (UUIDv5) of a submission that may be sent again: the same for the same source, channel and reference."""
    # The length keeps apart sources and channels that read the same when joined.
    return str(uuid5(UUID_NAMESPACE, f"{len(source)} {source} {channel} {reference}"))


def receipt_time_fault(received_at: datetime, now: datetime) -> SubmissionFault | None:
    """The fault of an impossible time of receipt, from which every deadline would start; None if it is possible."""
    if received_at > now + _MAX_FUTURE:
        return SubmissionFault("received_at", "in_the_future", "send the instant at which the complaint was received")
    if received_at < _EARLIEST_RECEIPT:
        return SubmissionFault("received_at", "too_early", "send the instant at which the complaint was received")
    return None


def prepare_registration(submission: Submission, context: SourceContext, case: str, registered_at: datetime) -> UnnumberedRegistration:
    """The registration at that instant, before its number is known and its contact data encrypted."""
    complainant = normalised_complainant(submission.complainant, context.phone_region)
    procedure = context.bound_procedure.procedure
    facts, invalid_facts = coerce_facts(procedure, submission.facts)
    missing = [name for name in procedure.register_.required if not _has(submission, complainant, name)]
    complaint = Complaint(
        case=case,
        number="",
        source=context.source.id,
        external_id=submission.external_id,
        registered_at=registered_at,
        facts=facts,
        complainant=masked(complainant, context.pseudonym_key),
        missing=[*missing, *(f"facts.{name}" for name in invalid_facts)],
        **{name: getattr(submission, name) for name in _COPIED_FIELDS},
    )
    contact = complainant.model_dump(exclude_none=True) if any(getattr(complainant, name) for name in CONTACT_FIELDS) else None
    return UnnumberedRegistration(complaint, context.bound_procedure, series_at(procedure.id, registered_at, context.zone), contact)


def registered_event(registration: UnnumberedRegistration, seq: int, sealed_contact: str | None) -> Registered:
    """The event that opens the case; `seq` is its number in the series, `sealed_contact` the encrypted contact data."""
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


def _has(submission: Submission, complainant: Complainant, name: str) -> bool:
    root, _, field = name.partition(".")
    if root == "complainant" and field:
        # An anonymous complainant is not asked for contact data.
        value = getattr(complainant, field, None)
        return complainant.anonymous or bool(value and (field != "phone" or _E164.fullmatch(value)))
    if root == "facts" and field:
        return field in submission.facts
    return bool(getattr(submission, name, None))
