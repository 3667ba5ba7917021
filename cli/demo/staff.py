"""Scripts what the staff of the demo's organisation do about a case: promptly, late, twice, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from services.sla.domain.deadlines.counting import add_duration
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.duration import Duration


class ChoiceSource(Protocol):
    """Draws numbers."""

    def number_below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""


@dataclass(frozen=True, slots=True)
class ScriptedAction:
    """An action: its instant (domain time), person, role, case and data; `transport` is `kafka` or `http`."""

    at: datetime
    person: str
    role: str
    case: str
    action: str
    data: dict[str, Any] = field(default_factory=dict)
    transport: str = "kafka"


class StaffPlanner:
    """Plans the actions on a case, by the working hours of the Chinese public schedule."""

    def __init__(self) -> None:
        self._worktime = Worktime.for_calendar(default_calendar())

    def working_time_after(self, at: datetime, duration: str) -> datetime:
        """A minute before a duration (working or clock time) from `at` ends."""
        due, _, _ = add_duration(self._worktime, to_micros(at), Duration.parse(duration))
        return at if due is None else self._worktime.to_datetime(due) - timedelta(minutes=1)

    def actions_for(self, text_kind: str, case: str, at: datetime, body: dict[str, Any], choices: ChoiceSource) -> list[ScriptedAction]:
        """The actions on a case; one of twelve manners of handling is drawn."""
        manner = choices.number_below(12)
        match text_kind:
            case "property":
                return self._property_actions(case, at, body, manner)
            case "homes":
                return self._homes_actions(case, at, manner)
        return self._telecom_actions(case, at, body, manner)

    def _property_actions(self, case: str, at: datetime, body: dict[str, Any], manner: int) -> list[ScriptedAction]:
        if manner == 0:  # no action at all: deadlines pass, reminders repeat
            return []
        assistant, supervisor = ("luo-dan", "assistant"), ("he-jing", "supervisor")
        urgent = bool(body.get("facts", {}).keys() & {"facility_failure", "danger_to_persons", "breach_in_progress"})
        day_end = at.replace(hour=23, minute=50)
        work_at = min(at + timedelta(hours=2), day_end) if manner > 1 else at + timedelta(days=2)
        plan_at = work_at + timedelta(minutes=5) if urgent else self.working_time_after(at, "12wh" if manner > 1 else "40wh")
        answer_at = self.working_time_after(plan_at, "10wh")
        actions = [ScriptedAction(at + timedelta(minutes=40), *assistant, case, "answer", {"text": "已收到，马上核实。"})]
        if urgent:
            actions.append(ScriptedAction(work_at, *assistant, case, "start_work"))
        actions += [
            ScriptedAction(plan_at, *supervisor, case, "submit_measures", {"text": "已制定整改措施。"}),
            ScriptedAction(plan_at + timedelta(hours=1), *assistant, case, "contact", {"text": "已与业主沟通。"}),
            ScriptedAction(answer_at, *assistant, case, "answer", {"text": "处理情况答复。"}),
            ScriptedAction(answer_at + timedelta(hours=1), *assistant, case, "handle"),
        ]
        return actions + self._property_closing(case, self.working_time_after(answer_at, "6wh"), manner)

    def _property_closing(self, case: str, at: datetime, manner: int) -> list[ScriptedAction]:
        assistant, supervisor = ("luo-dan", "assistant"), ("he-jing", "supervisor")
        if manner == 2:  # noqa: PLR2004 - dissatisfied: closing is refused, the case handled again
            again = self.working_time_after(at, "16wh")
            return [
                ScriptedAction(at, *supervisor, case, "call_back", {"outcome": "dissatisfied"}),
                ScriptedAction(at + timedelta(hours=1), *supervisor, case, "close", transport="http"),
                ScriptedAction(again, *assistant, case, "handle"),
                ScriptedAction(again + timedelta(hours=2), *supervisor, case, "call_back", {"outcome": "satisfied"}),
                ScriptedAction(again + timedelta(hours=3), *supervisor, case, "close", transport="http"),
            ]
        actions = [
            ScriptedAction(at, *supervisor, case, "call_back", {"outcome": "satisfied"}),
            ScriptedAction(at + timedelta(hours=1), *supervisor, case, "close", transport="http" if manner % 2 else "kafka"),
        ]
        if manner in (3, 4):  # the fault returns
            reopened_at = self.working_time_after(at, "24wh")
            actions.append(ScriptedAction(reopened_at, *assistant, case, "reopen", {"reason": "问题再次出现"}))
        return actions

    def _homes_actions(self, case: str, at: datetime, manner: int) -> list[ScriptedAction]:
        customer_service, executive, owner = ("ye-qing", "customer_service"), ("su-yun", "executive"), ("shen-gang", "owner")
        actions = [
            ScriptedAction(self.working_time_after(at, "1wh"), *customer_service, case, "report", {"text": "投诉信息汇报。"}),
            ScriptedAction(self.working_time_after(at, "2wh"), *customer_service, case, "route", {"department": "homes_engineering"}),
            ScriptedAction(self.working_time_after(at, "4wh"), *owner, case, "sign"),
        ]
        if manner == 0:  # signed and then forgotten: it escalates to the general manager
            return actions
        plan_at = self.working_time_after(at, "16wh")
        actions += [
            ScriptedAction(self.working_time_after(at, "6wh"), *owner, case, "contact", {"text": "已到现场查看。"}),
            ScriptedAction(plan_at - timedelta(minutes=30), "qiu-bin", "handler", case, "submit_measures", {"text": "维修方案。"}),
            ScriptedAction(plan_at, *owner, case, "sign_off"),
        ]
        if manner in (1, 2, 3):  # no decision in two working days: deemed approved, and the approval after it is refused
            work_at = self.working_time_after(plan_at, "24wh")
            actions.append(ScriptedAction(self.working_time_after(plan_at, "22wh"), *executive, case, "approve"))
        elif manner == 4:  # noqa: PLR2004 - rejected and drawn up again
            new_plan_at = self.working_time_after(plan_at, "12wh")
            actions += [
                ScriptedAction(self.working_time_after(plan_at, "3wh"), *executive, case, "reject", {"demands": "请重新制定。"}),
                ScriptedAction(new_plan_at, *owner, case, "submit_measures", {"text": "新方案。"}),
                ScriptedAction(self.working_time_after(new_plan_at, "2wh"), *executive, case, "approve"),
            ]
            work_at = self.working_time_after(new_plan_at, "4wh")
        else:
            actions.append(ScriptedAction(self.working_time_after(plan_at, "4wh"), *executive, case, "approve"))
            work_at = self.working_time_after(plan_at, "6wh")
        return actions + self._homes_closing(case, work_at)

    def _homes_closing(self, case: str, work_at: datetime) -> list[ScriptedAction]:
        customer_service, owner = ("ye-qing", "customer_service"), ("shen-gang", "owner")
        handled_at = self.working_time_after(work_at, "16wh")
        return [
            ScriptedAction(work_at, *owner, case, "start_work"),
            ScriptedAction(handled_at, *owner, case, "handle"),
            ScriptedAction(self.working_time_after(handled_at, "3wh"), *customer_service, case, "verify", {"passed": True}),
            ScriptedAction(self.working_time_after(handled_at, "5wh"), *customer_service, case, "close", transport="http"),
        ]

    def _telecom_actions(self, case: str, at: datetime, body: dict[str, Any], manner: int) -> list[ScriptedAction]:
        if manner == 0 or "special_limit" in body.get("facts", {}):
            return []
        customer_service = ("bai-lu", "customer_service")
        answer_at = self.working_time_after(at, "5wh" if manner > 2 else "30wh")  # noqa: PLR2004 - 1 and 2 answer late
        transport = "http" if manner % 2 else "kafka"
        return [
            ScriptedAction(answer_at, *customer_service, case, "answer", {"text": "处理结果答复。"}),
            ScriptedAction(self.working_time_after(answer_at, "8wh"), *customer_service, case, "handle"),
            ScriptedAction(self.working_time_after(answer_at, "10wh"), *customer_service, case, "close", transport=transport),
        ]
