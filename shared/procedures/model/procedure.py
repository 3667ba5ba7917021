"""A procedure: one organisation's regulation as data, in the shape that the loader reads and an editor can check."""

from typing import Any, Literal

from pydantic import Field

from shared.contracts.base import StrictModel
from shared.contracts.complaint import Channel, ComplaintKind
from shared.procedures.model.effects import RoleNames
from shared.procedures.model.timed_entries import (
    ClauseIds,
    ClockEntry,
    DurationText,
    EscalationLadder,
    PeriodicDuty,
    ReactionEntry,
    TitledEntry,
)

LanguageCode = Literal["zh", "en"]
NEVER_HOLDS = "false"
"""The `when` of a class that only a person assigns: rules never reach it."""


class Title(StrictModel):
    """A title in both languages."""

    zh: str
    en: str


class RegisterEntry(StrictModel):
    """How complaints are entered: the number's pattern and the fields that have to be there (what is missing is chased)."""

    number: str = Field(description="e.g. TS-{year}-{seq:05}; gapless per register and year")
    required: list[str] = ["text", "received_at"]
    clause: ClauseIds | None = None
    channels: list[Channel] = Field(default_factory=list, description="channels the regulation names; none: all")


class FactDeclaration(StrictModel):
    """A typed attribute that rules may read."""

    type: Literal["bool", "int", "number", "text", "instant"]
    default: bool | int | float | str | None = None
    zh: str = ""
    en: str = ""
    clause: ClauseIds | None = None


class ParameterDeclaration(StrictModel):
    """A value that the text leaves open and the organisation sets; no default: use without a value is an error."""

    type: Literal["duration", "int", "number", "text"] = "duration"
    default: str | int | float | None = None
    clause: ClauseIds
    zh: str = ""
    en: str = ""


class DerivationEntry(TitledEntry):
    """Facts that triage reads out of the text or the fields when the submission does not give them."""

    id: str = ""
    set: dict[str, Any] = Field(min_length=1)
    when: str


class KindRule(TitledEntry):
    """When a complaint is of this kind; the first that matches wins."""

    id: ComplaintKind
    when: str | None = None


class ClassRule(TitledEntry):
    """A class and when it holds; the first that matches wins; several entries may lead to one class, told apart by `rule`."""

    rule: str = ""
    when: str | None = None


class SubjectNode(TitledEntry):
    """A node of the subject tree; `words` are looked for in title and text."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_.]*$")
    words: list[str] = Field(default_factory=list)
    when: str | None = None
    department: str | None = None


class RouteEntry(TitledEntry):
    """Which department leads, which co-operate; the first that matches wins."""

    id: str = ""
    when: str | None = None
    department: str
    cooperating: list[str] = Field(default_factory=list)


class ActionRule(StrictModel):
    """Who may do an action (`by`), and what must hold before (`requires`); `when` narrows the rule to some cases."""

    by: RoleNames | None = None
    requires: str | None = None
    when: str | None = None
    needs_sign_off: str | None = Field(default=None, description="CEL; measures then count only once signed off")
    at_most: int | None = Field(default=None, ge=1, description="how often the action is accepted in all")
    reasons: list[str] = Field(default_factory=list, description="reasons that are accepted; none: any")
    in_time: bool = Field(default=False, description="of an extension's request: only by the due instant; always so for requests")
    clause: ClauseIds | None = None
    reason: str = Field(default="", description="what the refusal says")


class CountEffect(StrictModel):
    """What a group does to each member."""

    link_as: Literal["duplicate", "group", "repeat", "same_event"] = Field(default="group", alias="as")
    set: dict[str, Any] = Field(default_factory=dict)
    reclassify: str | None = None
    rule: str = ""


class CountEntry(TitledEntry):
    """Counting across cases: `threshold` cases with the same `key` (an empty key counts nowhere), within `window` or in all."""

    key: str = Field(description="CEL that gives a text; empty: not counted")
    when: str | None = None
    threshold: int = Field(ge=2)
    window: DurationText | None = Field(default=None, description="e.g. 30m: how far apart the first and the last may be; none: in all")
    distinct: Literal["complainant"] | None = Field(default=None, description="count different complainants rather than cases")
    reaches_back: bool = Field(default=True, description="whether earlier members change too, or only the one that completes it")
    does: CountEffect


class FormEntry(TitledEntry):
    """A form of the regulation, opened on an event and filled from the case's events."""

    opens: str = "registered"
    signed_by: list[str] = Field(default_factory=list)
    fields: list[str] = Field(default_factory=list)


class FigureEntry(TitledEntry):
    """A figure that the regulation asks for; ids are those of the report."""


class ConfidentialityRule(StrictModel):
    """Who may see what: `hidden` fields are shown to `visible_to` alone, besides those with a part in the case."""

    clause: ClauseIds
    hidden: list[str] = Field(default_factory=list)
    visible_to: list[str] = Field(default_factory=list)


class OwnershipRule(StrictModel):
    """Who owns a case: whoever was asked first until another has taken it over, or the first of `role` that somebody holds."""

    first_asked: bool = False
    role: RoleNames | None = Field(default=None, description="the case's owner; of several the first that somebody holds; none: `owner`")
    clause: ClauseIds


class ClauseConflict(StrictModel):
    """Where clauses contradict each other: which, how it is read, why."""

    clauses: list[str] = Field(min_length=1)
    read: str
    why: str


class UncoveredClause(StrictModel):
    """A clause that the system cannot carry out, with the reason."""

    clause: ClauseIds
    why: str


class Procedure(StrictModel):
    """One regulation as data; `id` and `version` are what a case is pinned to."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    title: Title
    source: str = ""
    register_: RegisterEntry = Field(alias="register")
    calendar: str | None = Field(default=None, description="a calendar of the organisation; none: its own")
    day_end: Literal["midnight", "close"] = "midnight"
    auto_route: bool = True
    most_returns: int = Field(default=5, ge=1, description="how often a case may be returned in all")
    parameters: dict[str, ParameterDeclaration] = Field(default_factory=dict)
    roles: dict[str, Title] | list[str]
    levels: list[str] = Field(default_factory=list, description="management levels, lowest first: roles")
    facts: dict[str, FactDeclaration] = Field(default_factory=dict)
    derived: list[DerivationEntry] = Field(default_factory=list)
    kinds: list[KindRule] = Field(default_factory=list)
    classes: list[ClassRule] = Field(default_factory=list)
    subjects: list[SubjectNode] = Field(default_factory=list)
    routes: list[RouteEntry] = Field(default_factory=list)
    clocks: list[ClockEntry] = Field(default_factory=list)
    ladders: list[EscalationLadder] = Field(default_factory=list)
    actions: dict[str, ActionRule | list[ActionRule]] = Field(default_factory=dict)
    reactions: list[ReactionEntry] = Field(default_factory=list)
    duties: list[PeriodicDuty] = Field(default_factory=list)
    counts: list[CountEntry] = Field(default_factory=list)
    forms: list[FormEntry] = Field(default_factory=list)
    figures: list[FigureEntry] = Field(default_factory=list)
    confidentiality: list[ConfidentialityRule] = Field(default_factory=list)
    ownership: list[OwnershipRule] = Field(default_factory=list)
    closing: list[ActionRule] = Field(default_factory=list, description="what must hold before a case closes, by class (`when`)")
    conflicts: list[ClauseConflict] = Field(default_factory=list)
    uncovered: list[UncoveredClause] = Field(default_factory=list)

    @property
    def role_names(self) -> tuple[str, ...]:
        """The roles that the procedure names."""
        return tuple(self.roles)

    def action_rules(self, action: str) -> list[ActionRule]:
        """The rules for an action; closing conditions are rules for `close`."""
        found = self.actions.get(action, [])
        listed = found if isinstance(found, list) else [found]
        return [*listed, *self.closing] if action == "close" else listed


class ClauseTexts(StrictModel):
    """Every clause of a regulation in our own words: clause id → both languages."""

    clauses: dict[str, Title]
