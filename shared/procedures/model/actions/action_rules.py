"""The rules of a procedure for an action: who may take it, what has to hold before, and which rules of the engine do not."""

from typing import Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import StrictModel
from shared.contracts.events.base import CallBackOutcome
from shared.procedures.model.actions.report_needs import IncompleteReport, ReportNeeds
from shared.procedures.model.effects import RoleNames
from shared.procedures.model.timed_entries import ClauseIds, LimitFromParameter

EngineDefault = Literal[
    "close_needs_handling",
    "dissatisfied_goes_on",
    "refuse_decides_acceptance",
    "verify_needs_its_object",
    "carried_out_as_approved",
]
"""The engine's rules for closing and deciding that a procedure may set aside (regulations.md, points 1 and 2)."""


class CallBackDemand(StrictModel):
    """The call-back that a case needs before it is closed, after its latest handling; its outcome is one of `outcomes`.

    After call-backs on as many working days as `unreached_days` that reached no one, a role of `closes` may close it all the same.
    """

    outcomes: list[CallBackOutcome] = Field(default=["satisfied", "understood"], min_length=1)
    unreached_days: int | LimitFromParameter = Field(default=3, description="a number, or a parameter of the type int; 0: never")
    closes: RoleNames | None = Field(default=None, description="the head of the unit; none: the roles of the case's owner")


class ActionRule(StrictModel):
    """The performers of an action (`by`) and its conditions (`requires`); the rule applies to cases for which `when` holds."""

    by: RoleNames | None = None
    requires: str | None = None
    when: str | None = None
    needs_sign_off: str | None = Field(default=None, description="CEL condition under which measures count only from their sign-off")
    at_most: int | None = Field(default=None, ge=1, description="how often the action is accepted for a case")
    reasons: list[str] = Field(default_factory=list, description="accepted reasons; none: any")
    each_role: bool = Field(default=False, description="several roles decide one after the other: each once on what was submitted last")
    unasked: bool = Field(default=False, description="the decision needs no request: an extension is granted that nobody asked for")
    decides_on: list[str] = Field(default_factory=list, description="events of which one has to have happened before verify; none: handled")
    call_back: CallBackDemand | None = Field(default=None, description="for close: the call-back that the regulation asks for")
    waives: list[EngineDefault] = Field(
        default_factory=list, description="rules of the engine that do not hold for the action, because a clause says otherwise"
    )
    in_time: bool = Field(default=False, description="only until the due instant; requests for an extension always have to be in time")
    report_needs: ReportNeeds = Field(
        default_factory=dict,
        description="fields that the action has to bring, with their content: any, or the kind of file: image, audio, video, pdf",
    )
    incomplete: IncompleteReport = Field(
        default="refuse",
        description="without what report_needs lists: refuse the action, or accept it and list what is missing in the event",
    )
    clause: ClauseIds | None = None
    reason: str = Field(default="", description="reason that a refusal gives")

    @model_validator(mode="after")
    def _names_the_clause_that_says_otherwise(self) -> Self:
        if (self.waives or self.decides_on) and not self.clause:
            key = "waives" if self.waives else "decides_on"
            raise ValueError(f"{key} sets a rule of the engine aside; add clause with the id of the clause that says so")
        return self

    @model_validator(mode="after")
    def _needs_have_content_and_clause(self) -> Self:
        if self.incomplete == "missing" and not self.report_needs:
            raise ValueError("incomplete: missing without report_needs has no effect; add report_needs")
        if self.report_needs and not self.clause:
            raise ValueError("report_needs is a demand of the regulation; add clause with the id of the clause that demands it")
        for name, content in self.report_needs.items():
            if content != "any" and name != "attachments":
                raise ValueError(f"{name} holds no files; write {name}: any, or attachments: {content}")
        return self
