"""Events of registration, and of the decisions that triage or a person makes: class, department, groups."""

from typing import Any, Literal

from pydantic import Field

from shared.contracts.base import ShortText, WireModel
from shared.contracts.complaint import UNREADABLE, Complaint, ComplaintKind
from shared.contracts.events.base import ActionEvent, CaseEvent, DueClock, JsonObject
from shared.contracts.events.found_fact import FoundFact


class Registered(CaseEvent):
    """A complaint was registered under a gapless number, which opens its case; clocks count from `complaint.received_at`."""

    name = "registered"

    complaint: Complaint
    number: ShortText = ""
    missing: list[ShortText] = Field(default_factory=list)
    unreadable: list[ShortText] = Field(default_factory=list, description=UNREADABLE)
    complainant_keys: list[ShortText] = Field(
        default_factory=list,
        description="Sorted keyed hashes of phone with extension, e-mail and id_number, each as `<field>:<hash>`: people who share one "
        "are the same, people with different id_numbers are not",
    )
    forms: list[ShortText] = Field(default_factory=list)
    parameters: JsonObject = Field(default_factory=dict)


class Classified(ActionEvent):
    """Kind, class and subject were decided; `facts` are those that triage derived, `evidence` is what the decision is based on."""

    name = "classified"

    kind: ComplaintKind | Literal[""] = ""
    class_: ShortText = Field(default="", alias="class")
    subject: ShortText = ""
    facts: JsonObject = Field(default_factory=dict)
    evidence: list[ShortText] = Field(default_factory=list)
    found: list[FoundFact] = Field(
        default_factory=list, description="facts of the shared library that the words show and nobody entered, with the words"
    )
    # Messages about the registration go out with the first decision, before `routed` names the department that they concern.
    department: ShortText = Field(
        default="",
        description="in the first decision: the department that `routed` or `route_proposed` will name next",
    )
    registered: Registered | None = Field(default=None, description="on triage-events only: what sla needs to open the case")


class Reclassified(Classified):
    """A later decision replaced kind, class or subject."""

    name = "reclassified"

    from_class: ShortText = ""


class LabelGuess(WireModel):
    """The classifier's value for a label (subject, department, kind, …), with its probability."""

    label: ShortText
    value: ShortText
    probability: float = 0.0


class PassedOverDepartment(WireModel):
    """A department that triage did not name although the rules gave it: it is on holiday, or leads as many cases as it can."""

    department: ShortText
    why: Literal["holiday", "capacity"]


class Routed(ActionEvent):
    """A lead department became responsible, with co-operating departments if `cooperating` lists any."""

    name = "routed"

    department: ShortText = ""
    cooperating: list[ShortText] = Field(default_factory=list)
    complaint: dict[str, Any] = Field(default_factory=dict, description="on department topics only: the complaint, redacted")
    clocks: list[DueClock] = Field(default_factory=list, description="on department topics only: the running clocks and when they are due")
    guesses: list[LabelGuess] = Field(
        default_factory=list, description="the classifier's three best guesses for each label, the best first; empty without a classifier"
    )
    passed_over: list[PassedOverDepartment] = Field(
        default_factory=list, description="departments that the rules gave before this one, each with the reason why it was passed over"
    )
    model: ShortText = Field(default="", description="the version of the classifier's model")
    review: Literal["", "confidence", "audit"] = Field(
        default="",
        description="why a person reviews the decision: `confidence`: a guess that would decide is below the procedure's confidence, "
        "`audit`: drawn at random; empty: no review",
    )


class RouteProposed(Routed):
    """Triage proposed a department, and a person has to route the case; the catch-all department is only ever proposed."""

    name = "route_proposed"


class ReviewDecided(ActionEvent):
    """A person decided on a case that triage had put up for review; what he changed follows as `reclassified`, `routed`, `reassigned`."""

    name = "review_decided"

    confirm: bool = Field(default=False, description="the reviewer confirmed what stood, and triage's first guess where nothing stood")
    outcome: Literal["", "confirmed", "corrected"] = ""
    kind: ComplaintKind | Literal[""] = Field(default="", description="kind, subject and department as they stand after the decision")
    subject: ShortText = ""
    department: ShortText = ""
    cooperating: list[ShortText] = Field(default_factory=list)
    labels: dict[ShortText, ShortText] = Field(default_factory=dict, description="values of the classifier's other labels")
    review: Literal["", "confidence", "audit"] = Field(default="", description="why the case was up for review")
    model: ShortText = ""
    guesses: list[LabelGuess] = Field(default_factory=list, description="the guesses of triage's decision, as in `routed`")


class LinkProposed(CaseEvent):
    """Triage proposed to link the case to an earlier one of the same person on the same matter; a person has to decide."""

    name = "link_proposed"

    to_case: ShortText = ""
    kind_of_link: Literal["", "duplicate", "group", "repeat", "same_event"] = Field(default="", alias="as")


class GroupFound(CaseEvent):
    """A group of cases reached its threshold; published once for each group, on the case that completes it, with all members.

    `count` is the number of members, `key` the count key that they have in common.
    """

    name = "group_found"

    group: ShortText = ""
    members: list[ShortText] = Field(default_factory=list)
    count: int = 0
    key: ShortText = ""


class GroupDissolved(CaseEvent):
    """A group fell below its threshold."""

    name = "group_dissolved"

    group: ShortText = ""
    members: list[ShortText] = Field(default_factory=list)
