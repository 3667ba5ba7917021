"""Entry by hand: which person may enter complaints for which source, on which channels."""

from collections.abc import Collection, Mapping
from typing import Any

from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.complaint import Submission
from shared.procedures.entry_by_hand import BY_HAND


def entry_fault(submission: Submission, enterers: Collection[str]) -> SubmissionFault | None:
    """The fault of a submission whose `entered_by` the source may not name; None where it may, or without `entered_by`."""
    if submission.entered_by is None:
        return None
    if submission.entered_by not in enterers:
        return SubmissionFault("entered_by", "not_allowed", "send the id of a person whom the source lists under entered_by")
    if submission.channel not in BY_HAND:
        return SubmissionFault("channel", "not_by_hand", f"enter by hand what came by {', '.join(BY_HAND)}")
    return None


def source_of_person(contexts: Mapping[str, SourceContext], person: str, document: Any) -> SourceContext | SubmissionFault:
    """The source for which a signed-in person enters a complaint: the one that it names, else the only one that lists him."""
    allowed = {name: context for name, context in contexts.items() if person in context.enterers}
    named = document.get("source") if isinstance(document, dict) else None
    if named is None and len(allowed) == 1:
        return next(iter(allowed.values()))
    if isinstance(named, str) and named in allowed:
        return allowed[named]
    choice = f"one of {', '.join(sorted(allowed))}" if allowed else "none: no source lists you under entered_by"
    return SubmissionFault("source", "missing" if named is None else "not_yours", f"name the source for which you enter it, {choice}")


def with_entering_person(document: Any, person: str) -> Any:
    """The document with the signed-in person as the one who entered it, unless it names a person already, which `person_fault` checks."""
    return {**document, "entered_by": document.get("entered_by") or person} if isinstance(document, dict) else document


def person_fault(document: Any, person: str) -> SubmissionFault | None:
    """The fault of a document in which a signed-in person names another one."""
    if isinstance(document, dict) and document.get("entered_by") not in (None, "", person):
        return SubmissionFault("entered_by", "not_you", "leave it out: your token names you")
    return None
