"""The people of the demo's organisation: what each kind of case gets done, promptly, late, twice, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from services.sla.domain.deadlines.counting import add_duration
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import standard
from shared.procedures.model.duration import Duration


class ChoiceSource(Protocol):
    """Where choices come from."""

    def number_below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""


@dataclass(frozen=True, slots=True)
class ScriptedAction:
    """An action: when (domain time), by whom, in which role, on which case; `way` is `kafka` or `http`."""

    at: datetime
    person: str
    role: str
    case: str
    action: str
    data: dict[str, Any] = field(default_factory=dict)
    transport: str = "kafka"


PROPERTY_HANDLER = {"垃圾": "xie-fang", "保洁": "xie-fang", "绿化": "xie-fang", "车": "ma-chao", "装修": "ma-chao"}


class StaffPlanner:
    """Writes the script of a case; working hours are those of the standard calendar."""

    def __init__(self) -> None:
        self._worktime = Worktime.for_calendar(standard())

    def working_time_after(self, at: datetime, duration: str) -> datetime:
        """The instant so much working or clock time later."""
        due = add_duration(self._worktime, to_micros(at), Duration.parse(duration))[0]
        return at if due is None else self._worktime.to_datetime(due) - timedelta(minutes=1)

    def actions_for(self, text_kind: str, case: str, at: datetime, body: dict[str, Any], choices: ChoiceSource) -> list[ScriptedAction]:
        """What is done about a case."""
        manner = choices.number_below(12)
        match text_kind:
            case "property":
                return self._property(case, at, body, manner)
            case "homes":
                return self._homes(case, at, manner)
        return self._telecom(case, at, body, manner)

    def _property(self, case: str, at: datetime, body: dict[str, Any], manner: int) -> list[ScriptedAction]:
        if manner == 0:  # nobody does anything: deadlines pass, reminders go on
            return []
        urgent = bool(body.get("facts", {}).keys() & {"facility_failure", "danger_to_persons", "breach_in_progress"})
        day_end = at.replace(hour=23, minute=50)
        soon = min(at + timedelta(hours=2), day_end) if manner > 1 else at + timedelta(days=2)
        plan = soon + timedelta(minutes=5) if urgent else self.working_time_after(at, "12wh" if manner > 1 else "40wh")
        done = self.working_time_after(plan, "10wh")
        acts = [ScriptedAction(at + timedelta(minutes=40), "luo-dan", "assistant", case, "answer", {"text": "已收到，马上核实。"})]
        acts += [ScriptedAction(soon, "luo-dan", "assistant", case, "start_work")] if urgent else []
        acts += [
            ScriptedAction(plan, "he-jing", "supervisor", case, "submit_measures", {"text": "已制定整改措施。"}),
            ScriptedAction(plan + timedelta(hours=1), "luo-dan", "assistant", case, "contact", {"text": "已与业主沟通。"}),
            ScriptedAction(done, "luo-dan", "assistant", case, "answer", {"text": "处理情况答复。"}),
            ScriptedAction(done + timedelta(hours=1), "luo-dan", "assistant", case, "handle"),
        ]
        return acts + self._property_end(case, self.working_time_after(done, "6wh"), manner)

    def _property_end(self, case: str, at: datetime, manner: int) -> list[ScriptedAction]:
        boss = ("he-jing", "supervisor")
        if manner == 2:  # noqa: PLR2004 - unhappy at first: closing is refused, handled again
            again = self.working_time_after(at, "16wh")
            return [
                ScriptedAction(at, *boss, case, "call_back", {"outcome": "dissatisfied"}),
                ScriptedAction(at + timedelta(hours=1), *boss, case, "close", transport="http"),
                ScriptedAction(again, "luo-dan", "assistant", case, "handle"),
                ScriptedAction(again + timedelta(hours=2), *boss, case, "call_back", {"outcome": "satisfied"}),
                ScriptedAction(again + timedelta(hours=3), *boss, case, "close", transport="http"),
            ]
        ended = [
            ScriptedAction(at, *boss, case, "call_back", {"outcome": "satisfied"}),
            ScriptedAction(at + timedelta(hours=1), *boss, case, "close", transport="http" if manner % 2 else "kafka"),
        ]
        if manner == 3:  # noqa: PLR2004 - the trouble comes back
            reopened = self.working_time_after(at, "24wh")
            ended.append(ScriptedAction(reopened, "luo-dan", "assistant", case, "reopen", {"reason": "问题再次出现"}))
        return ended

    def _homes(self, case: str, at: datetime, manner: int) -> list[ScriptedAction]:
        service, boss, head = ("ye-qing", "customer_service"), ("su-yun", "executive"), ("shen-gang", "owner")
        acts = [
            ScriptedAction(self.working_time_after(at, "1wh"), *service, case, "report", {"text": "投诉信息汇报。"}),
            ScriptedAction(self.working_time_after(at, "2wh"), *service, case, "route", {"department": "homes_engineering"}),
            ScriptedAction(self.working_time_after(at, "4wh"), *head, case, "sign"),
        ]
        if manner == 0:  # signed and forgotten: up to the general manager
            return acts
        plan = self.working_time_after(at, "16wh")
        acts += [
            ScriptedAction(self.working_time_after(at, "6wh"), *head, case, "contact", {"text": "已到现场查看。"}),
            ScriptedAction(plan - timedelta(minutes=30), "qiu-bin", "handler", case, "submit_measures", {"text": "维修方案。"}),
            ScriptedAction(plan, *head, case, "sign_off"),
        ]
        if manner in (1, 2, 3):  # the executive says nothing: deemed approved after two working days
            begun = self.working_time_after(plan, "24wh")
            acts.append(
                ScriptedAction(self.working_time_after(plan, "22wh"), *boss, case, "approve")
            )  # too late: refused, the deemed event stands
        elif manner == 4:  # noqa: PLR2004 - to be drawn up again
            redrawn = self.working_time_after(plan, "12wh")
            acts += [
                ScriptedAction(self.working_time_after(plan, "3wh"), *boss, case, "reject", {"demands": "请重新制定。"}),
                ScriptedAction(redrawn, *head, case, "submit_measures", {"text": "新方案。"}),
                ScriptedAction(self.working_time_after(redrawn, "2wh"), *boss, case, "approve"),
            ]
            begun = self.working_time_after(redrawn, "4wh")
        else:
            acts.append(ScriptedAction(self.working_time_after(plan, "4wh"), *boss, case, "approve"))
            begun = self.working_time_after(plan, "6wh")
        return acts + self._homes_end(case, begun)

    def _homes_end(self, case: str, begun: datetime) -> list[ScriptedAction]:
        service, head = ("ye-qing", "customer_service"), ("shen-gang", "owner")
        done = self.working_time_after(begun, "16wh")
        return [
            ScriptedAction(begun, *head, case, "start_work"),
            ScriptedAction(done, *head, case, "handle"),
            ScriptedAction(self.working_time_after(done, "3wh"), *service, case, "verify", {"passed": True}),
            ScriptedAction(self.working_time_after(done, "5wh"), *service, case, "close", transport="http"),
        ]

    def _telecom(self, case: str, at: datetime, body: dict[str, Any], manner: int) -> list[ScriptedAction]:
        if manner == 0 or "special_limit" in body.get("facts", {}):
            return []
        answer = self.working_time_after(at, "5wh" if manner > 2 else "30wh")  # noqa: PLR2004 - some answers come late
        service = ("bai-lu", "customer_service")
        return [
            ScriptedAction(answer, *service, case, "answer", {"text": "处理结果答复。"}),
            ScriptedAction(self.working_time_after(answer, "8wh"), *service, case, "handle"),
            ScriptedAction(self.working_time_after(answer, "10wh"), *service, case, "close", transport="http" if manner % 2 else "kafka"),
        ]
