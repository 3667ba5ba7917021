"""The result of every channel reader."""

from dataclasses import dataclass

from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.complaint import Submission


@dataclass(frozen=True, slots=True)
class ParseResult:
    """A submission, or None and its faults."""

    submission: Submission | None
    faults: tuple[SubmissionFault, ...] = ()
