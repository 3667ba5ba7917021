"""Entries of a procedure by which triage classifies, routes and counts."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from shared.contracts.base import StrictModel
from shared.contracts.complaint import ComplaintKind
from shared.procedures.model.timed_entries import (
    ClauseIds,
    DurationSource,
    FromParameter,
    OptionalDurationSource,
    TitledEntry,
    given_value,
    parameter_tag,
)

ThresholdSource = Annotated[Annotated[Annotated[int, Field(ge=2)], Tag("value")] | FromParameter, Discriminator(parameter_tag)]
NEVER_HOLDS = "false"
"""The `when` of a class that only a person assigns: rules never reach it."""


class DerivationEntry(TitledEntry):
    """Facts that triage derives from text or fields if the submission does not contain them."""

    id: str = ""
    set: dict[str, Any] = Field(default_factory=dict)
    takes: dict[str, str] = Field(
        default_factory=dict,
        description="fact → fact of the shared library whose value it takes: {persons: persons}; not set where none is read",
    )
    when: str

    @model_validator(mode="after")
    def _gives_a_fact(self) -> Self:
        if not (self.set or self.takes):
            raise ValueError("gives no fact; write set or takes")
        return self


class KindRule(TitledEntry):
    """The condition of a kind; the first kind whose condition holds applies."""

    id: ComplaintKind
    when: str | None = None


class ClassRule(TitledEntry):
    """The condition of a class; the first class whose condition holds applies. Entries of one class differ by `rule`."""

    rule: str = ""
    when: str | None = None


class SubjectNode(TitledEntry):
    """A node of the subject tree; triage searches title and text for its `words`."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_.]*$")
    words: list[str] = Field(default_factory=list)
    when: str | None = None
    department: str | None = None


class RouteEntry(TitledEntry):
    """The lead department and the co-operating ones; the first route whose condition holds applies."""

    id: str = ""
    when: str | None = None
    department: str
    cooperating: list[str] = Field(default_factory=list)


class CountEffect(StrictModel):
    """The changes that a group makes to each member."""

    link_as: Literal["duplicate", "group", "repeat", "same_event"] = Field(default="group", alias="as")
    set: dict[str, Any] = Field(default_factory=dict)
    reclassify: str | None = None
    rule: str = ""


class SimilarTexts(StrictModel):
    """When two texts describe the same event in other words; texts that name different places or objects never do.

    Similarity is the cosine of the n-grams of title and text, weighted by their rarity: 1 is the same text.
    """

    threshold: float = Field(default=0.14, ge=0.05, le=1, description="similarity of two texts that name a place or an object in common")
    elsewhere: float = Field(default=0.2, ge=0.05, le=1, description="similarity where one of the two names none")
    title: float = Field(
        default=0,
        ge=0,
        le=1,
        description="added to the similarity: this weight times the share of one title, by rarity, that the other text contains; "
        "raise both thresholds with it, to 0.25 with 0.2",
    )
    texts: int = Field(
        default=20_000,
        ge=100,
        le=100_000,
        description="texts that are remembered at most, the latest ones; each takes 4 kB in every triage process",
    )

    @model_validator(mode="after")
    def _is_stricter_without_a_place(self) -> Self:
        if self.elsewhere < self.threshold:
            raise ValueError("elsewhere is below threshold; without a place in common two texts have to be more alike, not less")
        return self


class CountEntry(TitledEntry):
    """A group of cases: `threshold` cases with the same `key`, within `window` or without a time limit.

    With `similar` in place of a key: cases whose texts describe the same event.
    """

    key: str = Field(
        default="",
        description="CEL expression for a text, or for a list of texts under each of which the case counts once; "
        "cases with an empty key are not counted",
    )
    similar: SimilarTexts | None = Field(
        default=None, description="count cases that tell of the same event in other words, in place of a key"
    )
    when: str | None = None
    threshold_: ThresholdSource = Field(alias="threshold")
    window_: OptionalDurationSource = Field(
        alias="window", default=None, description="longest time between the first and the last case, such as 30m; none: unlimited"
    )
    # telecom-urgent, sudden fault: one caller who calls ten times is one person.
    distinct: Literal["complainant"] | None = Field(default=None, description="count different complainants instead of cases")
    people: int | None = Field(
        default=None,
        ge=2,
        description="different complainants among the threshold's cases at least, so that one who writes often is no event",
    )
    same: Literal["complainant"] | None = Field(
        default=None, description="only cases of the same complainant form a group; cases of an unknown one are not counted"
    )
    withdrawn: bool = Field(default=False, description="whether a withdrawn case still counts")
    # telecom-urgent, batch: the complaints before the tenth become batch complaints too.
    reaches_back: bool = Field(default=True, description="whether earlier members change too, or only the case that completes the group")
    does: CountEffect

    @model_validator(mode="after")
    def _has_a_key_or_similar_texts(self) -> Self:
        if bool(self.key) == (self.similar is not None):
            raise ValueError("an entry has either key or similar; give the value that its cases share, or say how alike their texts are")
        if self.similar is not None and self.window_ is None:
            raise ValueError("similar needs a window, such as 60d; texts older than it are forgotten")
        if self.similar is not None and self.same is not None:
            raise ValueError("similar and same exclude each other; an event in other words is told by different people")
        return self

    @model_validator(mode="after")
    def _says_once_who_is_counted(self) -> Self:
        if self.people is not None and (self.distinct is not None or self.same is not None):
            raise ValueError("people stands beside neither distinct nor same; distinct counts people alone, same the cases of one")
        if self.people is not None and self.window_ is None:
            raise ValueError("people needs a window, such as 45d")
        return self

    @property
    def counts_people(self) -> bool:
        """Whether it matters who complains, beyond the number of cases."""
        return self.distinct is not None or self.people is not None

    @property
    def least_people(self) -> int:
        """The least number of different complainants that complete a group."""
        return self.threshold if self.distinct is not None else self.people or 1

    @property
    def threshold(self) -> int:
        """How many cases, or people, complete a group."""
        return given_value(self.threshold_)

    @property
    def window(self) -> str | None:
        """The longest time between the first and the last case, as `DurationText`; None: unlimited."""
        return given_value(self.window_)


class ReviewRule(StrictModel):
    """From which confidence the classifier decides where no rule does; below it a person reviews the case.

    Without the rule the classifier decides nothing: its guesses are in the event.
    """

    below: float = Field(default=0.85, gt=0, lt=1, description="a guess that is less probable does not decide and is reviewed")
    audit: float = Field(default=0.0, ge=0, le=1, description="share of the classifier's decisions that a person reviews nevertheless")
    clause: ClauseIds | None = None


class DuplicateRule(StrictModel):
    """When two submissions of one person on one matter are duplicates, which triage links by itself while the first is unanswered.

    Without the rule triage proposes the link to a person, and the later submission counts as a repeat.
    """

    within_: DurationSource = Field(alias="within", description="longest time between the two receipts: clock time or days, such as 2h")
    same: list[str] = Field(
        min_length=1,
        description="what the two have in common: fields of the complaint, such as object, or facts (facts.policy); "
        "a submission without one of them is no duplicate",
    )
    clause: ClauseIds | None = None

    @property
    def within(self) -> str:
        """The longest time between the two receipts, as `DurationText`."""
        return given_value(self.within_)
