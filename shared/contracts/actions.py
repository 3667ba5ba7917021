"""Actions: what may be asked, with which data, and which event each causes."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from shared.contracts.base import Id, Instant, Line, Strict, Text
from shared.contracts.complaint import Kind
from shared.contracts.events.base import Outcome


class ActionData(Strict):
    """What an action may bring along; an unknown or misspelt field is an error.

    `extend_by` is written `by` in data (a duration as in time.md), `class_` is written `class`, `link_as` is written `as`.
    """

    text: Text = ""
    reason: Line = ""
    attachments: list[Line] = Field(default_factory=list, max_length=100)
    promise: Text | bool = ""
    facts: dict[Id, Any] = Field(default_factory=dict, max_length=200)
    fields: dict[Id, Any] = Field(default_factory=dict, max_length=50)
    class_: Line = Field(default="", alias="class")
    kind: Kind | Literal[""] = ""
    subject: Line = ""
    evidence: list[Line] = Field(default_factory=list, max_length=100)
    department: Line = ""
    cooperating: list[Line] = Field(default_factory=list, max_length=50)
    person: Line = ""
    role: Line = ""
    to: Line = ""
    next_date: Instant | None = None
    demands: Text = ""
    passed: bool = True
    outcome: Outcome = ""
    clock: Line = ""
    extend_by: Line = Field(default="", alias="by")
    until: Instant | None = None
    date: Instant | None = None
    case: Line = ""
    link_as: Literal["", "duplicate", "group", "repeat", "same_event"] = Field(default="", alias="as")
    figures: dict[Id, Any] = Field(default_factory=dict, max_length=200)


class Action(Strict):
    """One action on one case: `role` names which of the actor's roles acts (needed only where he holds several)."""

    case: Id
    action: Line
    role: Line = ""
    data: ActionData = ActionData()


@dataclass(frozen=True, slots=True)
class ActionKind:
    """An action of the vocabulary: the event it causes and the data it cannot do without."""

    event: str
    needs: tuple[str, ...] = ()
    fails: str = ""
    """The event instead when `passed` is false."""


ACTIONS: dict[str, ActionKind] = {
    "amend": ActionKind("amended"),
    "accept": ActionKind("accepted"),
    "refuse": ActionKind("refused", ("reason",)),
    "classify": ActionKind("classified"),
    "reclassify": ActionKind("reclassified"),
    "route": ActionKind("routed", ("department",)),
    "return": ActionKind("returned"),
    "reassign": ActionKind("reassigned", ("department",)),
    "assign": ActionKind("assigned"),
    "sign": ActionKind("signed"),
    "contact": ActionKind("contacted"),
    "survey": ActionKind("surveyed"),
    "hand_over": ActionKind("handed_over"),
    "take_over": ActionKind("taken_over"),
    "answer": ActionKind("first_answered"),
    "report": ActionKind("reported"),
    "instruct": ActionKind("instructed"),
    "submit_measures": ActionKind("measures_submitted"),
    "sign_off": ActionKind("measures_signed_off"),
    "approve": ActionKind("measures_approved"),
    "approve_with_demands": ActionKind("measures_approved"),
    "reject": ActionKind("measures_rejected"),
    "request_review": ActionKind("review_requested"),
    "review": ActionKind("review_passed", fails="review_rejected"),
    "start_work": ActionKind("work_started"),
    "report_progress": ActionKind("progress_reported"),
    "handle": ActionKind("handled"),
    "verify": ActionKind("verified", fails="verification_failed"),
    "follow_up": ActionKind("followed_up"),
    "call_back": ActionKind("called_back"),
    "request_extension": ActionKind("extension_requested", ("clock",)),
    "grant_extension": ActionKind("extension_granted", ("clock",)),
    "refuse_extension": ActionKind("extension_refused", ("clock",)),
    "agree_date": ActionKind("date_agreed", ("date",)),
    "suspend": ActionKind("suspended"),
    "resume": ActionKind("resumed"),
    "link": ActionKind("linked", ("case",)),
    "unlink": ActionKind("unlinked", ("case",)),
    "object": ActionKind("objected"),
    "rule": ActionKind("ruled"),
    "acknowledge": ActionKind("escalation_acknowledged"),
    "withdraw": ActionKind("withdrawn"),
    "close": ActionKind("closed"),
    "reopen": ActionKind("reopened"),
    "evaluate": ActionKind("evaluated"),
}
"""Every action of the vocabulary but `register`, which is intake's."""
