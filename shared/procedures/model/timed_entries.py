"""Entries with time limits: clocks with due entries and reminders, ladders, reactions, periodic duties."""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from shared.contracts.base import StrictModel
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import AnyEffect, MessageChannel, RoleNames
from shared.procedures.model.selectors import Selector
from shared.procedures.model.wording import Wording

ClauseIds = str | list[str]
DayCounting = Literal["exclusive", "inclusive"]
DayRoll = Literal["forward", "none"]
ClockCalendar = Literal["procedure", "department"]


def _validated_duration_text(text: str) -> str:
    """The text, unchanged; raises `DurationError` if it is not a duration."""
    Duration.parse(text)
    return text


DurationText = Annotated[
    str,
    AfterValidator(_validated_duration_text),
    Field(description="30m, 2h, 4wh, 0.5wd, 3wd, 15d, 1w, 1mo, 1q, 1y, same_day, same_working_day"),
]


class LimitFromParameter(StrictModel):
    """A duration that the organisation sets, as a parameter of the procedure."""

    parameter: str


class LimitFromFact(StrictModel):
    """An instant that a person set or agreed, as a fact of type `instant`."""

    date: str = Field(description="the fact's name")


_DURATION_TEXT_TAG = "DurationText"


def _limit_tag(value: Any) -> str:
    """The branch of `LimitSource` that a value belongs to."""
    if isinstance(value, dict):
        return (LimitFromParameter if "parameter" in value else LimitFromFact).__name__
    return type(value).__name__ if isinstance(value, StrictModel) else _DURATION_TEXT_TAG


LimitSource = Annotated[
    Annotated[DurationText, Tag(_DURATION_TEXT_TAG)]
    | Annotated[LimitFromParameter, Tag(LimitFromParameter.__name__)]
    | Annotated[LimitFromFact, Tag(LimitFromFact.__name__)],
    Discriminator(_limit_tag),
]


_Value = TypeVar("_Value")
_VALUE_TAG = "value"
Period = Literal["1w", "1mo", "1q", "1y"]
_PERIOD_NAMES: dict[Period, Literal["week", "month", "quarter", "year"]] = {"1w": "week", "1mo": "month", "1q": "quarter", "1y": "year"}


def parameter_tag(value: Any) -> str:
    """The branch of a union that a value belongs to: a parameter's, or that of the value itself."""
    return LimitFromParameter.__name__ if isinstance(value, dict | LimitFromParameter) else _VALUE_TAG


FromParameter = Annotated[LimitFromParameter, Tag(LimitFromParameter.__name__)]
DurationSource = Annotated[Annotated[DurationText, Tag(_VALUE_TAG)] | FromParameter, Discriminator(parameter_tag)]
OptionalDurationSource = Annotated[Annotated[DurationText | None, Tag(_VALUE_TAG)] | FromParameter, Discriminator(parameter_tag)]
PeriodSource = Annotated[Annotated[Period, Tag(_VALUE_TAG)] | FromParameter, Discriminator(parameter_tag)]


def given_value(source: _Value | LimitFromParameter) -> _Value:
    """The value itself; raises `LookupError` for a parameter, which `bind_parameters` replaces by its value."""
    if isinstance(source, LimitFromParameter):
        raise LookupError(source.parameter)  # noqa: TRY004 - not the type is wrong: the value is missing
    return source


class TitledEntry(StrictModel):
    """An entry with an id, a clause and titles in both languages."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    clause: ClauseIds | None = None
    zh: str = ""
    en: str = ""


class ReminderEntry(StrictModel):
    """Effects before the due instant: `before: 2h | 4wh`, or at `share: 0.8` of the counted time."""

    before: DurationText | None = None
    share: float | None = Field(default=None, gt=0, lt=1)
    of: int = Field(default=0, ge=0, description="index of the due entry that it refers to")
    when: str | None = None
    clause: ClauseIds | None = None
    do: list[AnyEffect] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_one_countable_offset(self) -> Self:
        if (self.before is None) == (self.share is None):
            raise ValueError("a reminder takes either before or share; give one of them")
        if self.before is not None and Duration.parse(self.before).kind not in ("clock", "working"):
            raise ValueError(f"before {self.before} cannot be subtracted from the due instant; write it in m, h or wh")
        return self


class DueEntry(StrictModel):
    """A limit of a clock, and the effects that run when it passes before the clock stops."""

    within: LimitSource
    # `earlier`: hunan-property 3.4.2, by the date agreed if that is earlier.
    or_agreed: bool | Literal["earlier"] = Field(
        default=False, description="a date agreed with the customer replaces the limit (`earlier`: only an earlier date)"
    )
    when: str | None = Field(default=None, description="CEL condition; the limit applies only while it holds")
    clause: ClauseIds | None = None
    do: list[AnyEffect] = Field(default=["breach"], min_length=1)


class ActorOfEvent(StrictModel):
    """The person who caused an earlier event of the case."""

    who: str


class LimitDefaults(StrictModel):
    """Effects of every limit unless the procedure states others; `clause` is the one that states it."""

    remind_at: float | None = Field(
        default=0.8, gt=0, lt=1, description="share of the time after which the clock's owner is reminded; none: no reminder"
    )
    tell_owner: bool = Field(default=True, description="whether the clock's owner gets a message when the limit is missed")
    escalate_after: DurationText | None = Field(
        default="1wd",
        description="time after a missed limit until the role above hears, and each further one of the organisation's line; none: nobody",
    )
    missed_period: bool = Field(
        default=True,
        description="whether a period of a repeating clock without the expected act is a breach, of which the role above hears",
    )
    own_time: bool = Field(
        default=True,
        description="whether a unit that takes a case over has its own time from its own receipt, and signing twice moves nothing",
    )
    clause: ClauseIds | None = None


class ClockEntry(TitledEntry):
    """A deadline of a case; see the reference page on time."""

    when: str | None = Field(default=None, description="CEL condition: the clock exists only while it holds")
    starts: Selector
    stops: Selector | None = None
    restarts: Selector | None = None
    pauses: Selector | None = None
    resumes: Selector | None = None
    cancels: Selector | None = None
    owner: RoleNames | ActorOfEvent = Field(
        default="owner", description="the role that has to act; of several roles the first that a person holds"
    )
    # Inclusive where a regulation counts from the day itself (当日起), as group-complaint-demand 4.2.2.1.
    counting: DayCounting = "exclusive"
    roll: DayRoll = "forward"
    calendar: ClockCalendar = Field(
        default="procedure", description="whose hours count: the procedure's, or piece by piece those of the department that leads"
    )
    due: list[DueEntry] = Field(default_factory=list)
    every: LimitSource | None = Field(default=None, description="interval of a clock that repeats until it stops")
    do: list[AnyEffect] = Field(default_factory=list, description="effects of each occurrence of `every`")
    reminders: list[ReminderEntry] = Field(default_factory=list)
    expects: Selector | None = Field(
        default=None, description="the act that each period of a repeating clock expects; none: the event that stops the clock"
    )
    limits: LimitDefaults | None = Field(default=None, description="where this clock differs from the procedure's `limits`")
    late: Literal["refuse", "accept"] = Field(default="refuse", description="what happens to an action after the deemed event")

    def effective_limits(self, procedure_limits: LimitDefaults) -> LimitDefaults:
        """The procedure's values with those that the clock sets itself."""
        if self.limits is None:
            return procedure_limits
        return procedure_limits.model_copy(update={name: getattr(self.limits, name) for name in self.limits.model_fields_set})


class EscalationLadder(TitledEntry):
    """Roles to which an escalation goes, one rung after the other until it is acknowledged; after the last, the fallback person."""

    rungs: list[RoleNames] = Field(min_length=1)
    every_: OptionalDurationSource = Field(
        alias="every", default="1d", description="time without acknowledgement until the next rung; none: only a new cause leads to it"
    )
    by: list[MessageChannel] = ["email", "sms"]
    text: Wording | None = Field(default=None, description="the wording of the messages to the rungs; without it, that of escalations")

    @property
    def every(self) -> str | None:
        """The time without acknowledgement until the next rung, as `DurationText`."""
        return given_value(self.every_)

    def wordings(self) -> list[Wording]:
        """The wording of the ladder, if it has one."""
        return [] if self.text is None else [self.text]


class ReactionEntry(TitledEntry):
    """Effects that run at once on an event, without a clock."""

    id: str = ""
    on: Selector
    when: str | None = None
    do: list[AnyEffect] = Field(min_length=1)
    reassigned: bool = Field(
        default=True, description="whether a reaction on `routed` works on `reassigned` too: the new unit hears as the first one did"
    )


class PeriodicDuty(TitledEntry):
    """A recurring task without a case: a weekly check, a monthly report, a yearly seal."""

    every_: PeriodSource = Field(alias="every")
    owner: str
    report: Literal["week", "month", "quarter", "year", "period"] | None = Field(
        default=None, description="the period that the report is about; `period`: that of `every`"
    )
    seal: bool = False
    lists: list[str] = Field(default_factory=list, description="lists that the report contains, as they were at the period's end")
    sign_within: DurationText | None = Field(
        default="3wd", description="time after its completion until the owner has to sign the report; none: nobody signs it"
    )
    by: list[MessageChannel] = ["email"]

    @property
    def every(self) -> Period:
        """The duty's period."""
        return given_value(self.every_)

    @property
    def report_period(self) -> Literal["week", "month", "quarter", "year"] | None:
        """The name of the period that the duty's report is about; None without a report."""
        return _PERIOD_NAMES[self.every] if self.report == "period" else self.report
