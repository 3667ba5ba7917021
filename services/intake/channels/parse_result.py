"""The result of every channel reader."""

from dataclasses import dataclass

from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.complaint import Submission


@dataclass(frozen=True, slots=True)
class ParseResult:
    """A submission, or None and its faults; `unreadable` names the optional fields that were kept out or cut."""

    submission: Submission | None
    faults: tuple[SubmissionFault, ...] = ()
    unreadable: tuple[str, ...] = ()
