"""Entries of an organisation file by which triage routes cases and finds events across procedures."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from shared.contracts.base import StrictModel
from shared.procedures.model.duration import Duration
from shared.procedures.model.timed_entries import LimitFromParameter
from shared.procedures.model.triage.entries import CountEffect, CountEntry, SimilarTexts

ORGANISATION_SCOPE = "*"
"""What is in the place of a procedure's id where cases of several procedures are counted together; no procedure has this id."""
_LEAST_PROCEDURES = 2


class OrganisationRoute(StrictModel):
    """The lead department and the co-operating ones; the first route whose condition holds applies. `because` is the reason shown."""

    when: str | None = None
    department: str
    cooperating: list[str] = Field(default_factory=list)
    because: str = ""


class SharedEffect(CountEffect):
    """The changes that an event of the organisation makes to each member; a link across procedures is neither a duplicate nor a repeat."""

    link_as: Literal["group", "same_event"] = Field(default="same_event", alias="as")


class SharedEvent(CountEntry):
    """The same event in other words across procedures: a count entry with `similar` whose cases may be of any of `procedures`."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)
    similar: SimilarTexts = Field(default_factory=SimilarTexts)
    procedures: list[str] = Field(description="ids of the procedures whose cases count together, at least two")
    does: SharedEffect = Field(default_factory=lambda: SharedEffect.model_validate({}))

    @field_validator("procedures")
    @classmethod
    def _names_several(cls, procedures: list[str]) -> list[str]:
        # Named one by one: a confidential lane must not be counted with others because somebody added a source.
        if len(set(procedures)) < _LEAST_PROCEDURES:
            raise ValueError("name at least two procedures; events of one procedure alone belong under its counts")
        return procedures

    @model_validator(mode="after")
    def _has_values_of_its_own(self) -> Self:
        for name, value in (("threshold", self.threshold_), ("window", self.window_)):
            if isinstance(value, LimitFromParameter):
                raise ValueError(  # noqa: TRY004 - pydantic reports a ValueError
                    f"{name} reads a parameter, and an organisation file declares none; write the value"
                )
        if isinstance(self.window_, str) and Duration.parse(self.window_).kind not in ("clock", "days"):
            raise ValueError(f"window: {self.window_} is no window; write clock time or days, such as 45d")
        if self.clause is not None:
            raise ValueError("clause names a clause of a procedure, and the event has several procedures; leave it out")
        return self

    def concerns(self, procedure: str) -> bool:
        """Whether cases of a procedure count."""
        return procedure in self.procedures


def counting_scope(procedure: str, entry: CountEntry) -> str:
    """What the counters of an entry belong to: the procedure, in all its versions, or `ORGANISATION_SCOPE`."""
    return ORGANISATION_SCOPE if isinstance(entry, SharedEvent) else procedure
