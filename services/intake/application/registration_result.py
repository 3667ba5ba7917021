"""A submission on its way through registration, and what became of it."""

from dataclasses import dataclass

import orjson

from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage.refusals import RefusedSubmission
from shared.contracts.complaint import Submission


@dataclass(frozen=True, slots=True)
class PendingRegistration:
    """A submission that is fit to be registered: its office, its case's id, the SHA-256 of what was sent.

    `exact` says that the id comes from an Idempotency-Key, under which only the same submission may come again.
    """

    submission: Submission
    context: SourceContext
    case: str
    fingerprint: bytes
    traceparent: str | None = None
    fingerprint_must_match: bool = False


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    """What became of a submission: `registered`, `duplicate` (the same case) or `refused`."""

    status: str
    case: str = ""
    number: str = ""
    missing: tuple[str, ...] = ()
    faults: tuple[SubmissionFault, ...] = ()
    reason: str = ""


def refused_result(reason: str, *faults: SubmissionFault) -> RegistrationResult:
    """A submission that is not accepted."""
    return RegistrationResult("refused", faults=faults, reason=reason)


def refused_submission(result: RegistrationResult, via: str, source: str, reference: str) -> RefusedSubmission:
    """A refusal as it is kept: which fields broke which rule, no content."""
    faults = orjson.dumps([{"field": f.field, "rule": f.rule} for f in result.faults]).decode()
    return RefusedSubmission(via, source, reference, result.reason, faults)
