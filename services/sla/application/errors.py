"""Errors of sla's use cases, which `api.py` converts to problem documents; the text names field, rule and remedy."""

from collections.abc import Sequence

from shared.runtime.errors import Rejected

MAX_EVENT_BYTES = 800_000
"""The broker refuses a record over 1 MB; the rest is for headers and key."""


class EventTooLargeError(Rejected):
    """An event exceeds `MAX_EVENT_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"its event must have at most {MAX_EVENT_BYTES} bytes")


class RequestError(Exception):
    """A request that cannot be carried out; nothing has been changed."""


class CaseNotFoundError(RequestError):
    """No such case, or none that concerns the actor's department: the answer does not distinguish the two."""

    def __init__(self) -> None:
        super().__init__("case: must be the id of a registered case that concerns your department")


class ClockNotFoundError(RequestError):
    """No clock of that id or clause has started on the case."""


class AttachmentReferenceError(RequestError):
    """The action names a stored attachment under a reference that intake did not issue."""


class FormNotFoundError(RequestError):
    """The procedure has no such form of a case, it is not opened yet, or it has no such version."""


class ListNotFoundError(RequestError):
    """The procedure is not in use, or has no such list."""


class ReportNotFoundError(RequestError):
    """No such report, or none that the actor may read."""

    def __init__(self) -> None:
        super().__init__("report: must be a report of a duty of the procedure that your role owes or stands above")


class ReportActionError(RequestError):
    """The state of a report or an improvement measure does not allow the action."""


class ReportRoleError(RequestError):
    """The actor holds no role that may take the action."""


class ImprovementDataError(RequestError):
    """A field of an improvement measure cannot be used."""


class PeriodError(RequestError):
    """The period of a list cannot be read, or lies beyond the calendar."""


class EvidenceNotAllowedError(RequestError):
    """The archive would hold fields that are confidential to the actor."""

    def __init__(self) -> None:
        super().__init__("evidence: holds fields that are confidential to you; ask somebody who may see the whole case")


class EvidenceFaultyError(RequestError):
    """The ledger of the case does not hold, so it is no evidence."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(f"ledger: does not hold, so it is no evidence; verify it with `jiesu ledger verify` ({len(faults)} faults)")


class InstantNotPastError(RequestError):
    """The case is asked for as of an instant before its registration, or of the future."""

    def __init__(self) -> None:
        super().__init__("as_of: must be an instant between the registration of the case and now")


class DeadlineQuestionError(RequestError):
    """A question to the deadline calculator that has no answer; the text names the field, the rule and the remedy."""


class CursorError(RequestError):
    """The cursor of a page cannot be read, or belongs to another list."""

    def __init__(self) -> None:
        super().__init__("cursor: must be the `next_cursor` of the page before, with the same filters; leave it out to begin again")


class PhoneUnreadableError(RequestError):
    """The number to find cases by cannot be read, or this installation cannot find cases by number."""


class PhoneNotAllowedError(RequestError):
    """The actor may not find cases by phone number."""

    def __init__(self) -> None:
        super().__init__("Complainant-Phone: needs the right `find_by_phone` of the organisation file; leave the header out")


class PersonSearchError(RequestError):
    """The search for a person names neither name nor phone, or both."""


class UnmaskingNotAllowedError(RequestError):
    """The actor may not see contact data, or not those of this case."""


class ContactsSealedError(RequestError):
    """Sla has no key of the contact data."""

    def __init__(self) -> None:
        super().__init__("JIESU_SEALING_KEYS, JIESU_PSEUDONYM_KEY: are not set for sla; set intake's, to see and find contact data")


class ReviewNotOpenError(RequestError):
    """The case is not up for review."""

    def __init__(self) -> None:
        super().__init__("case: is not up for review: it was decided already, or never was; list the queue again")


class ReviewTakenError(RequestError):
    """Another person works on the review."""

    def __init__(self) -> None:
        super().__init__("case: another person works on this review; take another one, or wait until `taken_until` has passed")


class CaseParkedError(RequestError):
    """The case is parked: its dead letter has to be replayed or discarded first."""

    def __init__(self) -> None:
        super().__init__("case: an earlier message of it failed; replay its dead letter first")


class KeyReusedError(RequestError):
    """The Idempotency-Key was used for another action."""

    def __init__(self) -> None:
        super().__init__("Idempotency-Key: it was used for another action on this case; send a new key with a new action")


class ActionInProgressError(RequestError):
    """The same action is being done under the same Idempotency-Key."""

    def __init__(self) -> None:
        super().__init__("Idempotency-Key: the action is being done; send the same request again in a moment for its answer")


class ActionNotFoundError(RequestError):
    """No action of that name is defined in `shared.contracts.actions`."""


class RoleMissingError(RequestError):
    """The action names no role, and the actor holds none or several."""


class RoleNotHeldError(RequestError):
    """The actor does not hold the role that the action names."""


class CodeUnknownError(RequestError):
    """No case has this code; mistyped and guessed ones are answered alike."""

    def __init__(self) -> None:
        super().__init__("code: is not known; type the sixteen letters and digits of your message again")


class ActionNotOfferedError(RequestError):
    """The complainant cannot take this action in the present state of the case."""
