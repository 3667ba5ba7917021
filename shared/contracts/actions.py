"""Actions on a case: their data, and the event that each one causes."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, ValidationInfo
from pydantic_core import PydanticCustomError

from shared.contracts.base import (
    Identifier,
    InputCategory,
    InputInstant,
    InputName,
    InputObject,
    InputText,
    ShortInputText,
    StrictModel,
)
from shared.contracts.complaint import AmendedFields, ComplaintKind
from shared.contracts.events.base import CallBackOutcome
from shared.contracts.events.findings import CallResult, CompensationKind, Concealment, Sanction, Yuan


class ActionData(StrictModel):
    """The data of an action; an unknown or misspelt field is an error.

    `extend_by` is written `by` in JSON (a duration such as `2wd`), `class_` is written `class`, `link_as` is written `as`.
    """

    text: InputText = ""
    reason: ShortInputText = ""
    attachments: list[ShortInputText] = Field(default_factory=list, max_length=100)
    promise: InputText | bool = ""
    facts: InputObject = Field(default_factory=dict, max_length=200)
    fields: AmendedFields = Field(default_factory=dict, max_length=50)
    class_: InputName = Field(default="", alias="class")
    kind: ComplaintKind | Literal[""] = ""
    subject: InputName = ""
    evidence: list[ShortInputText] = Field(default_factory=list, max_length=100)
    department: InputName = ""
    cooperating: list[InputName] = Field(default_factory=list, max_length=50)
    person: InputName = ""
    role: InputName = ""
    to: InputName = ""
    next_date: InputInstant | None = None
    demands: InputText = ""
    passed: bool = True
    outcome: CallBackOutcome = ""
    clock: InputName = ""
    extend_by: InputName = Field(default="", alias="by")
    until: InputInstant | None = None
    date: InputInstant | None = None
    case: InputName = ""
    link_as: Literal["", "duplicate", "group", "repeat", "same_event"] = Field(default="", alias="as")
    score: int | None = Field(default=None, ge=0, le=100)
    figures: InputObject = Field(default_factory=dict, max_length=200)
    cause: InputCategory = ""
    persons: list[InputName] = Field(default_factory=list, max_length=50)
    units: list[InputName] = Field(default_factory=list, max_length=50)
    sanction: Sanction = ""
    compensation: CompensationKind = ""
    amount: Yuan | None = None
    household: InputName = ""
    agreed: StrictBool | None = None
    concealment: Concealment = ""
    notice: InputName = ""
    place: InputName = ""
    caller: InputName = ""
    result: CallResult = ""
    happened_at: InputInstant | None = None
    absentees: list[InputName] = Field(default_factory=list, max_length=50)
    confirm: StrictBool = False
    labels: dict[InputName, InputName] = Field(default_factory=dict, max_length=20)


ACTION_DATA_FIELDS = frozenset(info.alias or name for name, info in ActionData.model_fields.items())
"""The fields of actions by their names in JSON."""
_STRICTLY_DECIDED = frozenset({"decide_compensation", "decide_notice"})


def _require_strict_decision(data: Any, info: ValidationInfo) -> Any:
    # `passed` of older actions may be a text, which departments may send by now.
    passed = data.get("passed", True) if isinstance(data, dict) else True
    if info.data.get("action") in _STRICTLY_DECIDED and not isinstance(passed, bool):
        raise PydanticCustomError("bool_type", "passed: send true or false, not as text")
    return data


SentActionData = Annotated[ActionData, BeforeValidator(_require_strict_decision)]
"""Data beside the field `action` of a model, which has to come before them."""


class Action(StrictModel):
    """One action on one case; `role` is the role in which the actor acts, required only of an actor with several roles."""

    case: Identifier
    action: InputName
    role: InputName = ""
    data: SentActionData = ActionData()


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """An action of the vocabulary: the event that it causes and the data that it requires."""

    event_id: str
    required_data: tuple[str, ...] = ()
    event_id_if_not_passed: str = ""
    """The event that it causes instead if `passed` is false."""
    one_of: tuple[str, ...] = ()
    """Data of which at least one is required."""


ACTION_DEFINITIONS: dict[str, ActionDefinition] = {
    "amend": ActionDefinition("amended"),
    "accept": ActionDefinition("accepted"),
    "refuse": ActionDefinition("refused", ("reason",)),
    "classify": ActionDefinition("classified"),
    "reclassify": ActionDefinition("reclassified"),
    "route": ActionDefinition("routed", ("department",)),
    "return": ActionDefinition("returned"),
    "decide_review": ActionDefinition("review_decided"),
    "reassign": ActionDefinition("reassigned", ("department",)),
    "assign": ActionDefinition("assigned"),
    "sign": ActionDefinition("signed"),
    "contact": ActionDefinition("contacted"),
    "survey": ActionDefinition("surveyed"),
    "hand_over": ActionDefinition("handed_over"),
    "take_over": ActionDefinition("taken_over"),
    # Later answers become `answered`: hunan-property 3.4.2 counts the second from the first.
    "answer": ActionDefinition("first_answered"),
    "report": ActionDefinition("reported"),
    "instruct": ActionDefinition("instructed"),
    "submit_measures": ActionDefinition("measures_submitted"),
    "sign_off": ActionDefinition("measures_signed_off"),
    "approve": ActionDefinition("measures_approved"),
    # greentown-qd1001 4.8.1.2: the demands are part of what has to be carried out, so they are part of the approval.
    "approve_with_demands": ActionDefinition("measures_approved"),
    "reject": ActionDefinition("measures_rejected"),
    "request_review": ActionDefinition("review_requested"),
    "review": ActionDefinition("review_passed", event_id_if_not_passed="review_rejected"),
    "start_work": ActionDefinition("work_started"),
    "report_progress": ActionDefinition("progress_reported"),
    "handle": ActionDefinition("handled"),
    "verify": ActionDefinition("verified", event_id_if_not_passed="verification_failed"),
    "follow_up": ActionDefinition("followed_up"),
    "call_back": ActionDefinition("called_back"),
    "request_extension": ActionDefinition("extension_requested", ("clock",)),
    "grant_extension": ActionDefinition("extension_granted", ("clock",)),
    "refuse_extension": ActionDefinition("extension_refused", ("clock",)),
    "agree_date": ActionDefinition("date_agreed", ("date",)),
    "suspend": ActionDefinition("suspended"),
    "resume": ActionDefinition("resumed"),
    "link": ActionDefinition("linked", ("case",)),
    "unlink": ActionDefinition("unlinked", ("case",)),
    "object": ActionDefinition("objected"),
    "rule": ActionDefinition("ruled"),
    "acknowledge": ActionDefinition("escalation_acknowledged"),
    "withdraw": ActionDefinition("withdrawn"),
    "urge": ActionDefinition("urged"),
    "supplement": ActionDefinition("supplemented"),
    "rate": ActionDefinition("rated", ("score",)),
    "close": ActionDefinition("closed"),
    "reopen": ActionDefinition("reopened"),
    "evaluate": ActionDefinition("evaluated"),
    "record_cause": ActionDefinition("cause_recorded", ("cause",)),
    "record_liability": ActionDefinition("liability_recorded", one_of=("persons", "units")),
    "record_sanction": ActionDefinition("sanction_recorded", ("sanction",), one_of=("persons", "units")),
    "propose_compensation": ActionDefinition("compensation_proposed", ("compensation",)),
    "decide_compensation": ActionDefinition("compensation_approved", ("passed",), event_id_if_not_passed="compensation_refused"),
    "pay_compensation": ActionDefinition("compensation_paid"),
    "record_agreement": ActionDefinition("agreement_recorded", ("household", "agreed")),
    "report_concealment": ActionDefinition("concealment_reported", ("concealment", "text"), one_of=("persons", "units")),
    "draft_notice": ActionDefinition("notice_drafted", ("text",)),
    "decide_notice": ActionDefinition("notice_approved", ("passed",), event_id_if_not_passed="notice_rejected"),
    "publish_notice": ActionDefinition("notice_published", ("place",)),
    # A notice that nobody saw on the wall is only said to be published.
    "confirm_notice": ActionDefinition("notice_confirmed", ("attachments",)),
    "record_call": ActionDefinition("call_recorded", ("result",), one_of=("to", "person")),
    "record_meeting": ActionDefinition("meeting_recorded", one_of=("persons", "units")),
}
"""Action → its definition: every action of the vocabulary except `register`, which only intake performs."""
