"""Input and result of registration."""

from dataclasses import dataclass

import orjson

from services.intake.application.raw_copies import RawSubmission
from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage.refusals import RefusedSubmission
from shared.contracts.complaint import Submission


@dataclass(frozen=True, slots=True)
class PendingRegistration:
    """A valid submission to be registered; `fingerprint` is the SHA-256 of its sorted, compact JSON.

    `fingerprint_must_match`: the case id comes from an Idempotency-Key, under which only the same submission may be sent again.
    `has_reference`: the sender named the submission, by external_id or Idempotency-Key. `unreadable` names the fields that were kept out.
    `copy` is kept in the transaction of the registration.
    """

    submission: Submission
    context: SourceContext
    case: str
    fingerprint: bytes
    traceparent: str | None = None
    fingerprint_must_match: bool = False
    has_reference: bool = True
    unreadable: tuple[str, ...] = ()
    copy: RawSubmission | None = None


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    """The result of a submission: `registered`, `duplicate` (the same one again), `supplement` (of a known case) or `refused`."""

    status: str
    case: str = ""
    number: str = ""
    missing: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    faults: tuple[SubmissionFault, ...] = ()
    reason: str = ""


def refused_result(reason: str, *faults: SubmissionFault) -> RegistrationResult:
    """The result of a submission that is not registered; `reason` is one of the reasons of the metric `refused`."""
    return RegistrationResult("refused", faults=faults, reason=reason)


def refused_submission(result: RegistrationResult, via: str, source: str, reference: str) -> RefusedSubmission:
    """The row of a refusal: fields and broken rules, without any content of the submission."""
    faults = orjson.dumps([{"field": fault.field, "rule": fault.rule} for fault in result.faults]).decode()
    return RefusedSubmission(via, source, reference, result.reason, faults)
