"""The raw copy of a sent form, and its reader: for the page that receives it, and again for a replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from services.intake.application.raw_copies import RawSubmission
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result
from services.intake.application.submission_reading import SubmissionReader
from services.intake.channels.web_form import FormLine, FormReading, read_form
from services.intake.domain.submission import SourceContext, case_id
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.transports.web_form.form_page import TRAP, FormDescription
from shared.runtime.tracing.context import current_traceparent

VIA_FORM = "form"
_NOT_TYPED = frozenset({"token", TRAP, "kept", "dropped"})


@dataclass(frozen=True, slots=True)
class SourceForm:
    """A source with its form."""

    context: SourceContext
    lines: Sequence[FormLine]
    description: FormDescription

    def case(self, key: str) -> str:
        """The case that the form with this key becomes."""
        return case_id(self.context.source.id, self.description.form.channel, f"key {key}")


@dataclass(frozen=True, slots=True)
class FormCopy:
    """The typed fields, the references of the received files, and the time of receipt; `key` identifies the opened form."""

    key: str
    values: Mapping[str, str]
    references: Sequence[str]
    received_at: datetime

    def to_raw(self, source: str) -> RawSubmission:
        """The raw copy; without the form's token, which is a signature."""
        typed = {name: value for name, value in self.values.items() if name not in _NOT_TYPED}
        content = orjson.dumps({"values": typed, "references": list(self.references)})
        return RawSubmission(source, VIA_FORM, self.key, content, {"received_at": self.received_at.isoformat()})

    @classmethod
    def from_raw(cls, raw: RawSubmission) -> "FormCopy":
        """The form of a raw copy."""
        document = orjson.loads(raw.content)
        return cls(raw.reference, document["values"], document["references"], datetime.fromisoformat(raw.headers["received_at"]))


@dataclass(frozen=True, slots=True)
class FormReader:
    """Reads copies of forms; `max_future` bounds what has happened."""

    reader: SubmissionReader
    max_future: timedelta

    def fields(self, source: SourceForm, copy: FormCopy) -> FormReading:
        """The document of the form, with a fault for each field that cannot be read."""
        context, form = source.context, source.description.form
        reading = read_form(form, source.lines, copy.values, context.phone_region, context.zone, copy.received_at, self.max_future)
        reading.document["attachments"] = list(copy.references)
        return reading

    def submission(self, source: SourceForm, copy: FormCopy, reading: FormReading) -> PendingRegistration | RegistrationResult:
        """The submission of a reading without faults, or its refusal."""
        return self.reader.read(
            reading.document, source.context, traceparent=current_traceparent(), idempotency_key=copy.key, accepted_at=copy.received_at
        )

    def read(self, source: SourceForm, copy: FormCopy) -> PendingRegistration | RegistrationResult:
        """The submission of a copy, or its refusal, also for a field that cannot be read."""
        reading = self.fields(source, copy)
        if reading.faults:
            remedy = "correct the form in the organisation file, or enter the complaint by hand"
            return refused_result("invalid", *(SubmissionFault(name, rule, remedy) for name, rule in reading.faults.items()))
        return self.submission(source, copy, reading)
