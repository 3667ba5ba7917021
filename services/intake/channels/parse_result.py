"""What every channel gives: a submission, or what is wrong with it."""

from dataclasses import dataclass

from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.complaint import Submission


@dataclass(frozen=True, slots=True)
class ParseResult:
    """Either a submission or faults."""

    submission: Submission | None
    faults: tuple[SubmissionFault, ...] = ()
