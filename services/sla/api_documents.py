"""Answers in sla's OpenAPI document, and the problems by error of a use case."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.sla import api_case_list
from services.sla.application.errors import (
    ActionInProgressError,
    ActionNotFoundError,
    ActionNotOfferedError,
    AttachmentReferenceError,
    CaseNotFoundError,
    CaseParkedError,
    ClockNotFoundError,
    CodeUnknownError,
    ContactsSealedError,
    CursorError,
    DeadlineQuestionError,
    EvidenceFaultyError,
    EvidenceNotAllowedError,
    FormNotFoundError,
    ImprovementDataError,
    InstantNotPastError,
    KeyReusedError,
    ListNotFoundError,
    PeriodError,
    PersonSearchError,
    PhoneNotAllowedError,
    PhoneUnreadableError,
    ReportActionError,
    ReportNotFoundError,
    ReportRoleError,
    RequestError,
    ReviewNotOpenError,
    ReviewTakenError,
    RoleMissingError,
    RoleNotHeldError,
    UnmaskingNotAllowedError,
)
from shared.procedures.forms.printing import FORMATS, media_type
from shared.runtime.http.bearer import UNAUTHORIZED
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import BODY_TOO_LARGE, TOO_MANY_REQUESTS, ProblemType
from shared.runtime.spreadsheets.table_files import MEDIA_TYPES

NOT_ACCEPTABLE = ProblemType("not_acceptable", 406, "the document cannot be made in an accepted format")
ACTION_REFUSED = ProblemType("action_refused", 409, "the action is refused")
PROBLEM_TYPES: dict[type[RequestError], ProblemType] = {
    CaseNotFoundError: ProblemType("unknown_case", 404, "there is no such case"),
    ClockNotFoundError: ProblemType("unknown_clock", 404, "there is no such clock"),
    FormNotFoundError: ProblemType("unknown_form", 404, "there is no such form"),
    ListNotFoundError: ProblemType("unknown_list", 404, "there is no such list"),
    ReportNotFoundError: ProblemType("unknown_report", 404, "there is no such report"),
    ReportActionError: ProblemType("report_action_refused", 409, "the action is refused"),
    ReportRoleError: ProblemType("forbidden", 403, "the action cannot be taken"),
    ImprovementDataError: ProblemType("invalid", 422, "a field is invalid"),
    PeriodError: ProblemType("invalid", 422, "a field is invalid"),
    EvidenceNotAllowedError: ProblemType("forbidden", 403, "the archive cannot be read"),
    EvidenceFaultyError: ProblemType("ledger_faulty", 409, "the ledger does not hold"),
    DeadlineQuestionError: ProblemType("invalid", 422, "a field is invalid"),
    InstantNotPastError: ProblemType("invalid", 422, "a field is invalid"),
    CursorError: ProblemType("invalid", 422, "a field is invalid"),
    PhoneUnreadableError: ProblemType("invalid", 422, "a field is invalid"),
    PhoneNotAllowedError: ProblemType("forbidden", 403, "the list cannot be read"),
    PersonSearchError: ProblemType("invalid", 422, "a field is invalid"),
    UnmaskingNotAllowedError: ProblemType("forbidden", 403, "the contact data cannot be seen"),
    ContactsSealedError: ProblemType("contacts_sealed", 409, "contact data are sealed in this installation"),
    CaseParkedError: ProblemType("case_parked", 409, "the case is parked"),
    KeyReusedError: ProblemType("key_reused", 422, "the Idempotency-Key was used for another action"),
    ActionInProgressError: ProblemType("in_progress", 409, "the action is being done"),
    ActionNotFoundError: ProblemType("unknown_action", 422, "there is no such action"),
    AttachmentReferenceError: ProblemType("invalid", 422, "a field is invalid"),
    RoleMissingError: ProblemType("role_required", 422, "the action cannot be taken"),
    RoleNotHeldError: ProblemType("forbidden", 403, "the action cannot be taken"),
    ReviewNotOpenError: ProblemType("not_for_review", 409, "the case is not up for review"),
    ReviewTakenError: ProblemType("review_taken", 409, "another person works on the review"),
    CodeUnknownError: ProblemType("unknown_code", 404, "no case has this code"),
    ActionNotOfferedError: ProblemType("not_offered", 409, "the action cannot be taken on the case as it stands"),
}
ACTION_EXAMPLE = {"action": "answer", "role": "assistant", "data": {"text": "电梯已恢复运行，请查看。"}}


class EventSummary(BaseModel):
    """An event that the action caused."""

    event: str = Field(examples=["first_answered"])
    at: str = Field(examples=["2026-09-24T17:05:00+08:00"])
    sequence: int


class ActionAnswer(BaseModel):
    """`repeated`: the answer to the first request with this Idempotency-Key; no events while the action is queued (202)."""

    case: str
    accepted: bool
    repeated: bool
    events: list[EventSummary]


class CaseAnswer(BaseModel):
    """A case with its clocks and events, without the fields that are confidential to the reader."""

    model_config = ConfigDict(extra="allow")

    case: str
    number: str
    procedure: str
    version: int
    status: str = Field(examples=["open"])
    clocks: list[dict[str, Any]]
    events: list[dict[str, Any]]


class PastCaseAnswer(CaseAnswer):
    """A case as it stood at `as_of`; `explained` holds its clocks with the explanation of each due instant."""

    as_of: str
    explained: list[dict[str, Any]]


class FollowAnswer(BaseModel):
    """The complainant's view of a case, with the actions now possible in `actions`.

    `steps` have the event and what was addressed to or by him; `after_end` marks an urging of a case that had ended.
    `next` are the steps to come, each with `due_at` (none while the time is paused) and `late`; `unavailable` maps each other action
    to `no_answer_yet`, `not_ended`, `ended` or `expired`. `until` maps an action to the instant after which the regulation refuses it.
    """

    number: str
    matter: str
    status: str = Field(examples=["open"])
    received_at: str
    steps: list[dict[str, Any]]
    next: list[dict[str, Any]] = Field(examples=[[{"step": "first_answered", "due_at": "2026-11-10T18:00:00+08:00", "late": False}]])
    actions: list[str] = Field(examples=[["supplement", "urge"]])
    until: dict[str, str] = Field(examples=[{"reopen": "2026-11-20T18:00:00+08:00"}])
    unavailable: dict[str, str] = Field(examples=[{"rate": "no_answer_yet", "reopen": "not_ended"}])


class ActionPreviewAnswer(BaseModel):
    """Events `notification_requested` that the action would cause, without the fields that are confidential to the reader."""

    case: str
    action: str
    messages: list[dict[str, Any]]


class ClockAnswer(BaseModel):
    """Every round of a clock, with the explanation of each due instant."""

    case: str
    clock: str
    rounds: list[dict[str, Any]]


class ClocksAnswer(BaseModel):
    """Every round of every clock that has started, with its state and lateness."""

    case: str
    clocks: list[dict[str, Any]]


class PermittedAction(BaseModel):
    """An action: the roles in which you may take it now and the data that it needs, or the reason and clauses that forbid it.

    `reasons` and `clocks` are the accepted values, empty: any. `depends_on` are data that the procedure reads: what it states about them is
    decided once they are sent.
    """

    action: str = Field(examples=["close"])
    permitted: bool
    roles: list[str]
    needs: list[str]
    one_of: list[str] = Field(description="of which it needs at least one")
    reasons: list[str]
    clocks: list[str]
    depends_on: list[str]
    reason: str
    clauses: list[str] = Field(examples=[["3.4.3"]])
    rule: str


class PermittedActionsAnswer(BaseModel):
    """Every action of the vocabulary; `roles` are those that you hold on the case."""

    case: str
    at: str
    roles: list[str]
    actions: list[PermittedAction]


class ReviewListAnswer(BaseModel):
    """A page of the review queue: the rows of the list of cases, with why each is up for review, the guesses, and who works on it."""

    reviews: list[dict[str, Any]]
    next_cursor: str | None


class ReviewTakenAnswer(BaseModel):
    """The person who holds the review, and until when it is locked."""

    case: str
    taken_by: str
    taken_until: str


def _problems(*more: ProblemType) -> dict[int | str, dict[str, Any]]:
    return problem_responses(*ANY_OPERATION, UNAUTHORIZED, TOO_MANY_REQUESTS, *more)


ANY_CASE = _problems()
_READING_ERRORS = frozenset(
    {
        *(ClockNotFoundError, FormNotFoundError, ListNotFoundError, PeriodError),
        *(ReportNotFoundError, ReportActionError, ReportRoleError, ImprovementDataError),
        *(CursorError, PhoneUnreadableError, PhoneNotAllowedError, CodeUnknownError, ActionNotOfferedError),
        *(ReviewNotOpenError, DeadlineQuestionError, EvidenceNotAllowedError, EvidenceFaultyError),
        InstantNotPastError,
        *(PersonSearchError, UnmaskingNotAllowedError, ContactsSealedError),
    }
)
_STAFF_ERRORS = _READING_ERRORS - {ActionNotOfferedError} | {ReviewTakenError, RoleMissingError, RoleNotHeldError, ActionNotFoundError}
CASE_LIST: dict[int | str, dict[str, Any]] = {
    **api_case_list.RESPONSES,
    **_problems(PROBLEM_TYPES[CursorError], PROBLEM_TYPES[PhoneNotAllowedError]),
}
ACTION: dict[int | str, dict[str, Any]] = {
    200: {"model": ActionAnswer},
    202: {"model": ActionAnswer, "description": "queued until earlier input has been read"},
    **_problems(BODY_TOO_LARGE, ACTION_REFUSED, *(each for error, each in PROBLEM_TYPES.items() if error not in _READING_ERRORS)),
}
ACTION[409]["headers"] = {
    "Retry-After": {"description": "with `in_progress`: seconds to wait", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}
ACTION_PREVIEW: dict[int | str, dict[str, Any]] = {**ACTION, 200: {"model": ActionPreviewAnswer}}
del ACTION_PREVIEW[202]
REVIEW_LIST: dict[int | str, dict[str, Any]] = {200: {"model": ReviewListAnswer}, **_problems(PROBLEM_TYPES[CursorError])}
_REVIEW_PROBLEMS = [PROBLEM_TYPES[error] for error in (CaseNotFoundError, ReviewNotOpenError, ReviewTakenError)]
REVIEW_TAKEN: dict[int | str, dict[str, Any]] = {
    200: {"model": ReviewTakenAnswer},
    **_problems(*_REVIEW_PROBLEMS, PROBLEM_TYPES[RoleNotHeldError]),
}
REVIEW_RELEASED: dict[int | str, dict[str, Any]] = {204: {"description": "given back"}, **_problems(*_REVIEW_PROBLEMS)}
EVIDENCE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The archive.", "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
    **_problems(*(PROBLEM_TYPES[error] for error in (CaseNotFoundError, EvidenceNotAllowedError, EvidenceFaultyError))),
}
PAST_CASE: dict[int | str, dict[str, Any]] = {
    200: {"model": PastCaseAnswer},
    **_problems(*(PROBLEM_TYPES[error] for error in (CaseNotFoundError, InstantNotPastError, EvidenceFaultyError))),
}
DEADLINE: dict[int | str, dict[str, Any]] = _problems(PROBLEM_TYPES[DeadlineQuestionError])
CASE: dict[int | str, dict[str, Any]] = {200: {"model": CaseAnswer}, **_problems(PROBLEM_TYPES[CaseNotFoundError])}
PERMITTED_ACTIONS: dict[int | str, dict[str, Any]] = {200: {"model": PermittedActionsAnswer}, **_problems(PROBLEM_TYPES[CaseNotFoundError])}
_SEALED = (PROBLEM_TYPES[ContactsSealedError], BODY_TOO_LARGE)
PERSON_SEARCH: dict[int | str, dict[str, Any]] = _problems(PROBLEM_TYPES[PersonSearchError], PROBLEM_TYPES[PhoneNotAllowedError], *_SEALED)
UNMASKING: dict[int | str, dict[str, Any]] = _problems(
    PROBLEM_TYPES[CaseNotFoundError], PROBLEM_TYPES[UnmaskingNotAllowedError], PROBLEM_TYPES[PersonSearchError], *_SEALED
)
CLOCK: dict[int | str, dict[str, Any]] = {
    200: {"model": ClockAnswer},
    **_problems(PROBLEM_TYPES[CaseNotFoundError], PROBLEM_TYPES[ClockNotFoundError]),
}
CLOCKS: dict[int | str, dict[str, Any]] = {200: {"model": ClocksAnswer}, **_problems(PROBLEM_TYPES[CaseNotFoundError])}
FORM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The form.", "content": {media_type(form_format): {"schema": {"type": "string"}} for form_format in FORMATS}},
    **_problems(PROBLEM_TYPES[CaseNotFoundError], PROBLEM_TYPES[FormNotFoundError], NOT_ACCEPTABLE),
}
LIST: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The list.",
        "content": {
            name.partition(";")[0]: {"schema": {"type": "object" if "json" in name else "string"}} for name in MEDIA_TYPES.values()
        },
    },
    **_problems(PROBLEM_TYPES[ListNotFoundError], PROBLEM_TYPES[PeriodError], NOT_ACCEPTABLE),
}
REPORTS: dict[int | str, dict[str, Any]] = _problems(PROBLEM_TYPES[ListNotFoundError], PROBLEM_TYPES[ReportNotFoundError])
REPORT_ACTION: dict[int | str, dict[str, Any]] = _problems(
    BODY_TOO_LARGE,
    *(PROBLEM_TYPES[error] for error in (ListNotFoundError, ReportNotFoundError, CaseNotFoundError)),
    *(PROBLEM_TYPES[error] for error in (ReportActionError, ReportRoleError, ImprovementDataError)),
)
_FOLLOW_PROBLEMS = (*ANY_OPERATION, TOO_MANY_REQUESTS, PROBLEM_TYPES[CodeUnknownError])
FOLLOW: dict[int | str, dict[str, Any]] = {200: {"model": FollowAnswer}, **problem_responses(*_FOLLOW_PROBLEMS)}
COMPLAINANT_VIEW: dict[int | str, dict[str, Any]] = {200: {"model": FollowAnswer}}
FOLLOW_ACTION: dict[int | str, dict[str, Any]] = {
    200: {"model": FollowAnswer},
    **problem_responses(
        *_FOLLOW_PROBLEMS, BODY_TOO_LARGE, ACTION_REFUSED, *(each for error, each in PROBLEM_TYPES.items() if error not in _STAFF_ERRORS)
    ),
}
