"""The model of procedure.yaml and clauses.yaml; its JSON Schema supports editors."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.base import StrictModel
from shared.contracts.complaint import Channel
from shared.contracts.events import EVENT_CLASSES
from shared.procedures.expressions.text_patterns import CueEntry, CueKind, TextPattern
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.effects import RoleNames
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.form_layout.lists import CaseListEntry
from shared.procedures.model.timed_entries import (
    ClauseIds,
    ClockEntry,
    EscalationLadder,
    LimitDefaults,
    PeriodicDuty,
    ReactionEntry,
    TitledEntry,
)
from shared.procedures.model.triage.entries import (
    ClassRule,
    CountEntry,
    DerivationEntry,
    DuplicateRule,
    KindRule,
    ReviewRule,
    RouteEntry,
    SubjectNode,
)

LanguageCode = Literal["zh", "en"]


class Title(StrictModel):
    """A title in both languages."""

    zh: str
    en: str


class RegisterEntry(StrictModel):
    """Registration: the pattern of case numbers, and the required fields (a complaint without one is registered with it as `missing`)."""

    number: str = Field(description="e.g. TS-{year}-{seq:05}; gapless per register and year")
    required: list[str] = ["text", "received_at"]
    clause: ClauseIds | None = None
    channels: list[Channel] = Field(default_factory=list, description="channels that the regulation names; none: all")


class FactDeclaration(StrictModel):
    """A typed attribute of a case that rules may read."""

    type: Literal["bool", "int", "number", "text", "instant", "date"]
    default: bool | int | float | str | date | None = Field(default=None, description="a date is written 2026-01-01")
    zh: str = ""
    en: str = ""
    clause: ClauseIds | None = None


class ParameterDeclaration(StrictModel):
    """A value that the regulation leaves open and the organisation sets; without a default it has to be set."""

    type: Literal["duration", "int", "number", "text"] = "duration"
    # None where the text leaves the number open (`[X]` in grievance-system): only the organisation may fill it in.
    default: str | int | float | None = None
    options: list[str] = Field(default_factory=list, description="the values that a text may have; none: any")
    clause: ClauseIds
    zh: str = ""
    en: str = ""

    @model_validator(mode="after")
    def _default_is_an_option(self) -> Self:
        if self.options and self.type != "text":
            raise ValueError(f"options need type: text, and the type is {self.type}")
        if self.options and self.default is not None and self.default not in self.options:
            raise ValueError(f"the default is none of the options; write one of {', '.join(self.options)}")
        return self


class FigureEntry(TitledEntry):
    """A figure that the regulation requires; its id is that of the report."""


class ConfidentialityRule(StrictModel):
    """Confidential fields: only the roles in `visible_to` and the persons who handle the case see the `hidden` fields."""

    clause: ClauseIds
    hidden: list[str] = Field(default_factory=list)
    visible_to: list[str] = Field(default_factory=list)


class OwnershipRule(StrictModel):
    """The owner of a case: the person who was asked first, until another takes it over, or the first of `role` that a person holds."""

    first_asked: bool = False
    role: RoleNames | None = Field(default=None, description="the owner's role; of several the first that a person holds; none: `owner`")
    clause: ClauseIds


class AfterEndRule(StrictModel):
    """Consequences when the complainant urges, supplements or reopens a case that has ended.

    `ask`: the role that ended it is informed and decides; `reopen`: the case is reopened at once.
    """

    follows: Literal["ask", "reopen"]
    clause: ClauseIds


class AlternativeReading(StrictModel):
    """Another way to read clauses; `value` is the value of the reading's parameter that selects it."""

    read: str
    value: str = ""


class ClauseReading(StrictModel):
    """How clauses are read and why; under `conflicts` clauses that contradict each other, under `readings` what the text leaves unsaid.

    Where several readings are defensible, `parameter` names the parameter by which an organisation selects one.
    """

    clauses: list[str] = Field(min_length=1)
    read: str
    why: str
    alternatives: list[AlternativeReading] = Field(default_factory=list)
    parameter: str = ""


class UncoveredClause(StrictModel):
    """A clause that the system does not implement, with the reason."""

    clause: ClauseIds
    why: str


class Procedure(StrictModel):
    """A regulation as data; every case keeps the `id` and `version` under which it was registered."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    title: Title
    source: str = ""
    # With an underscore: a field named `register` would hide a method of BaseModel's metaclass, of which pydantic warns.
    register_: RegisterEntry = Field(alias="register")
    calendar: str | None = Field(default=None, description="a calendar of the organisation; none: the organisation's default")
    # Article 203 of the Civil Code ends a day at close of business; a customer waits until midnight.
    day_end: Literal["midnight", "close"] = "midnight"
    auto_route: bool = True
    most_returns: int = Field(default=5, ge=1, description="how often a case may be returned")
    satisfied_from: int = Field(
        default=60, ge=0, le=100, description="the lowest rating (0 to 100) of a complainant who counts as satisfied"
    )
    parameters: dict[str, ParameterDeclaration] = Field(default_factory=dict)
    roles: dict[str, Title] | list[str]
    levels: list[str] = Field(default_factory=list, description="roles of the management levels, lowest first")
    facts: dict[str, FactDeclaration] = Field(default_factory=dict)
    patterns: dict[str, TextPattern] = Field(
        default_factory=dict, description="expressions in the words of a complaint; triage's conditions read them as says.<name>"
    )
    cues: dict[CueKind, list[CueEntry]] = Field(
        default_factory=dict, description="cues beside the common ones: expressions that take the sense of a pattern's hit away"
    )
    derived: list[DerivationEntry] = Field(default_factory=list)
    kinds: list[KindRule] = Field(default_factory=list)
    classes: list[ClassRule] = Field(default_factory=list)
    subjects: list[SubjectNode] = Field(default_factory=list)
    routes: list[RouteEntry] = Field(default_factory=list)
    limits: LimitDefaults = Field(
        default_factory=LimitDefaults, description="the engine's defaults for limits, where the regulation differs"
    )
    clocks: list[ClockEntry] = Field(default_factory=list)
    ladders: list[EscalationLadder] = Field(default_factory=list)
    actions: dict[str, ActionRule | list[ActionRule]] = Field(default_factory=dict)
    reactions: list[ReactionEntry] = Field(default_factory=list)
    duties: list[PeriodicDuty] = Field(default_factory=list)
    counts: list[CountEntry] = Field(default_factory=list)
    duplicates: DuplicateRule | None = Field(default=None, description="when triage links duplicates; none: it proposes the link")
    review: ReviewRule | None = Field(
        default=None, description="from which confidence triage's classifier decides; none: it decides nothing"
    )
    forms: list[FormEntry] = Field(default_factory=list)
    lists: list[CaseListEntry] = Field(default_factory=list)
    figures: list[FigureEntry] = Field(default_factory=list)
    confidentiality: list[ConfidentialityRule] = Field(default_factory=list)
    ownership: list[OwnershipRule] = Field(default_factory=list)
    after_end: AfterEndRule | None = Field(default=None, description="what a complainant's request on an ended case leads to; none: `ask`")
    closing: list[ActionRule] = Field(
        default_factory=list, description="what has to hold before a case is closed; `when` limits a rule to a class"
    )
    conflicts: list[ClauseReading] = Field(default_factory=list)
    readings: list[ClauseReading] = Field(default_factory=list)
    terms: dict[str, Title] = Field(default_factory=dict, description="the regulation's own words for events and actions, by id")
    uncovered: list[UncoveredClause] = Field(default_factory=list)

    @model_validator(mode="after")
    def _readings_name_parameters_and_options(self) -> Self:
        for section, entries in (("conflicts", self.conflicts), ("readings", self.readings)):
            for index, entry in enumerate(entries):
                if fault := self._reading_fault(entry):
                    raise ValueError(f"{section}.{index}: {fault}")
        return self

    @field_validator("terms")
    @classmethod
    def _terms_are_of_events_and_actions(cls, terms: dict[str, Title]) -> dict[str, Title]:
        for name in terms:
            if name not in EVENT_CLASSES and name not in ACTION_DEFINITIONS:
                raise ValueError(f"{name} is neither an event nor an action; terms has their ids as keys")
        return terms

    def _reading_fault(self, entry: ClauseReading) -> str:
        """Why the alternatives of a reading cannot be selected; empty if they can, or need not."""
        values = [alternative.value for alternative in entry.alternatives if alternative.value]
        if not entry.parameter:
            return "alternatives with a value need a parameter; name it under parameter" if values else ""
        parameter = self.parameters.get(entry.parameter)
        if parameter is not None and parameter.type != "text":
            # A number or a time has no list of readings: the alternatives say in words what other values would mean.
            return (
                f"the parameter {entry.parameter} is a {parameter.type}, not a choice; leave value out of its alternatives"
                if values
                else ""
            )
        if parameter is None or not parameter.options:
            return f"the parameter {entry.parameter} needs options; declare it under parameters with options"
        if missing := [option for option in parameter.options if option not in (*values, parameter.default)]:
            return f"no alternative has the value {missing[0]}, which the parameter {entry.parameter} allows; add it"
        unknown = [value for value in values if value not in parameter.options]
        return (
            f"{unknown[0]} is no option of the parameter {entry.parameter}; write one of {', '.join(parameter.options)}" if unknown else ""
        )

    @property
    def role_names(self) -> tuple[str, ...]:
        """The ids of the roles that the procedure declares."""
        return tuple(self.roles)

    def action_rules(self, action: str) -> list[ActionRule]:
        """The rules for an action; closing conditions are rules for `close`."""
        declared = self.actions.get(action, [])
        rules = declared if isinstance(declared, list) else [declared]
        return [*rules, *self.closing] if action == "close" else rules


class ClauseText(Title):
    """A clause, reworded; `cite` is how the regulation is cited where the id is not the number of a clause."""

    cite: Title | None = None


class ClauseTexts(StrictModel):
    """The clauses of a regulation, reworded: clause id → both languages."""

    clauses: dict[str, ClauseText]
