"""Prepares the registration of a submission: case id, missing fields, complaint and `registered` event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID, uuid5

from services.intake.domain.complainant import CONTACT_FIELDS, ContactReading, complainant_keys, masked, read_contact
from services.intake.domain.number_series import NumberSeries, format_number, series_at
from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.complaint import Complaint, Submission
from shared.contracts.events.triage import Registered
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.facts import coerce_facts
from shared.procedures.organisation import ComplaintSource

UUID_NAMESPACE = UUID("6a696573-7500-5000-8000-000000000001")
MAX_FUTURE = timedelta(minutes=5)
"""How far what has happened may lie ahead of its acceptance by default: clocks differ; a larger difference is a local time sent as UTC."""
_COPIED_FIELDS = (
    *("received_at", "channel", "kind", "title", "text", "object", "demand", "place", "product", "against"),
    *("happened_at", "attachments", "entered_by"),
)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """Data of one source for registration; `zone` is that of the procedure's calendar, `phone_region` an ISO 3166 code.

    `shared_contacts` are normal forms of numbers and addresses that belong to no single person; `enterers` are the people who may
    enter complaints by hand.
    """

    source: ComplaintSource
    bound_procedure: BoundProcedure
    zone: tzinfo
    phone_region: str
    pseudonym_key: bytes
    shared_contacts: frozenset[str] = field(default_factory=frozenset)
    enterers: frozenset[str] = field(default_factory=frozenset)

    def allows_channel(self, channel: str) -> bool:
        """Whether the source may submit on this channel."""
        return not self.source.channels or channel in self.source.channels


@dataclass(frozen=True, slots=True)
class UnnumberedRegistration:
    """A registration without a case number; `contact` is the contact data in clear text, None without any.

    `complainant_keys` are the keyed hashes that identify the complainant.
    """

    complaint: Complaint
    bound_procedure: BoundProcedure
    series: NumberSeries
    contact: dict[str, Any] | None
    complainant_keys: list[str]

    @property
    def case(self) -> str:
        """The case's id."""
        return self.complaint.case


def case_id(source: str, channel: str, reference: str) -> str:
    """The case id (UUIDv5) of a submission that may be sent again: the same for the same source, channel and reference."""
    # The length keeps apart sources and channels that read the same when joined.
    return str(uuid5(UUID_NAMESPACE, f"{len(source)} {source} {channel} {reference}"))


def receipt_time_fault(received_at: datetime, accepted_at: datetime, max_future: timedelta) -> SubmissionFault | None:
    """The fault of a time of receipt after the acceptance, from which every deadline would start; None if it is possible."""
    if received_at > accepted_at + max_future:
        return SubmissionFault("received_at", "in_the_future", "send the instant at which the complaint was received, with its offset")
    return None


def without_future_instants(submission: Submission, accepted_at: datetime, max_future: timedelta) -> tuple[Submission, list[str]]:
    """The submission without optional instants that lie ahead of its acceptance, and the names of these fields."""
    latest = accepted_at + max_future
    names = [name for name in ("happened_at", "registered_at") if (at := getattr(submission, name)) is not None and at > latest]
    return (submission.model_copy(update=dict.fromkeys(names)) if names else submission), names


def prepare_registration(
    submission: Submission, context: SourceContext, case: str, registered_at: datetime, unreadable: Sequence[str] = ()
) -> UnnumberedRegistration:
    """The registration at that instant, before its number is known and its contact data encrypted.

    `unreadable` names the fields that the reader of the channel kept out. A fact that the procedure does not declare is kept and named:
    it may be misspelt, and no rule reads it.
    """
    reading = read_contact(submission.complainant, context.phone_region)
    procedure = context.bound_procedure.procedure
    facts, invalid_facts = coerce_facts(procedure, submission.facts)
    undeclared = [name for name in facts if name not in procedure.facts]
    keys = complainant_keys(reading, context.pseudonym_key, context.shared_contacts)
    complaint = Complaint(
        case=case,
        number="",
        source=context.source.id,
        external_id=submission.external_id,
        registered_at=registered_at,
        facts=facts,
        complainant=masked(reading.complainant, keys),
        missing=[name for name in procedure.register_.required if not _has(submission, reading, facts, name)],
        unreadable=list(dict.fromkeys([*unreadable, *reading.unreadable, *(f"facts.{name}" for name in (*invalid_facts, *undeclared))])),
        **{name: getattr(submission, name) for name in _COPIED_FIELDS},
    )
    series = series_at(procedure.id, registered_at, context.zone)
    return UnnumberedRegistration(complaint, context.bound_procedure, series, _contact(reading), keys)


def _contact(reading: ContactReading) -> dict[str, Any] | None:
    complainant = reading.complainant
    if not any(getattr(complainant, name) for name in CONTACT_FIELDS):
        return None
    return complainant.model_dump(exclude_none=True) | dict(reading.phone_fields)


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
        unreadable=complaint.unreadable,
        complainant_keys=registration.complainant_keys,
        forms=[form.id for form in procedure.forms if form.opens == Registered.name],
        parameters=registration.bound_procedure.parameters,
    )


def _clause_fields(clause: str | list[str] | None) -> Mapping[str, Any]:
    if clause is None:
        return {}
    return {"clause": clause} if isinstance(clause, str) else {"clause": clause[0], "clauses": list(clause)}


def _has(submission: Submission, reading: ContactReading, facts: Mapping[str, Any], name: str) -> bool:
    root, _, field_name = name.partition(".")
    if root == "complainant" and field_name:
        # An anonymous complainant is not asked for contact data.
        return reading.complainant.anonymous or bool(getattr(reading.complainant, field_name, None) and name not in reading.unreadable)
    if root == "facts" and field_name:
        return field_name in facts
    return bool(getattr(submission, name, None))
