"""The people of the demo's organisation: what each kind of case gets done, promptly, late, twice, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from services.sla.domain.deadlines.counting import reach
from services.sla.domain.deadlines.worktime import Worktime, micros
from shared.procedures.calendars.calendar import standard
from shared.procedures.model.duration import Duration


class Draws(Protocol):
    """Where choices come from."""

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""


@dataclass(frozen=True, slots=True)
class Act:
    """An action: when (domain time), by whom, in which role, on which case; `way` is `kafka` or `http`."""

    at: datetime
    person: str
    role: str
    case: str
    action: str
    data: dict[str, Any] = field(default_factory=dict)
    way: str = "kafka"


PROPERTY_HANDLER = {"垃圾": "xie-fang", "保洁": "xie-fang", "绿化": "xie-fang", "车": "ma-chao", "装修": "ma-chao"}


class Staff:
    """Writes the script of a case; working hours are those of the standard calendar."""

    def __init__(self) -> None:
        self._worktime = Worktime.of(standard())

    def after(self, at: datetime, duration: str) -> datetime:
        """The instant so much working or clock time later."""
        due = reach(self._worktime, micros(at), Duration.parse(duration))[0]
        return at if due is None else self._worktime.instant(due) - timedelta(minutes=1)

    def script(self, kind: str, case: str, at: datetime, body: dict[str, Any], chance: Draws) -> list[Act]:
        """What is done about a case."""
        manner = chance.below(12)
        match kind:
            case "property":
                return self._property(case, at, body, manner)
            case "homes":
                return self._homes(case, at, manner)
        return self._telecom(case, at, body, manner)

    def _property(self, case: str, at: datetime, body: dict[str, Any], manner: int) -> list[Act]:
        if manner == 0:  # nobody does anything: deadlines pass, reminders go on
            return []
        urgent = bool(body.get("facts", {}).keys() & {"facility_failure", "danger_to_persons", "breach_in_progress"})
        day_end = at.replace(hour=23, minute=50)
        soon = min(at + timedelta(hours=2), day_end) if manner > 1 else at + timedelta(days=2)
        plan = soon + timedelta(minutes=5) if urgent else self.after(at, "12wh" if manner > 1 else "40wh")
        done = self.after(plan, "10wh")
        acts = [Act(at + timedelta(minutes=40), "luo-dan", "assistant", case, "answer", {"text": "已收到，马上核实。"})]
        acts += [Act(soon, "luo-dan", "assistant", case, "start_work")] if urgent else []
        acts += [
            Act(plan, "he-jing", "supervisor", case, "submit_measures", {"text": "已制定整改措施。"}),
            Act(plan + timedelta(hours=1), "luo-dan", "assistant", case, "contact", {"text": "已与业主沟通。"}),
            Act(done, "luo-dan", "assistant", case, "answer", {"text": "处理情况答复。"}),
            Act(done + timedelta(hours=1), "luo-dan", "assistant", case, "handle"),
        ]
        return acts + self._property_end(case, self.after(done, "6wh"), manner)

    def _property_end(self, case: str, at: datetime, manner: int) -> list[Act]:
        boss = ("he-jing", "supervisor")
        if manner == 2:  # noqa: PLR2004 - unhappy at first: closing is refused, handled again
            again = self.after(at, "16wh")
            return [
                Act(at, *boss, case, "call_back", {"outcome": "dissatisfied"}),
                Act(at + timedelta(hours=1), *boss, case, "close", way="http"),
                Act(again, "luo-dan", "assistant", case, "handle"),
                Act(again + timedelta(hours=2), *boss, case, "call_back", {"outcome": "satisfied"}),
                Act(again + timedelta(hours=3), *boss, case, "close", way="http"),
            ]
        ended = [
            Act(at, *boss, case, "call_back", {"outcome": "satisfied"}),
            Act(at + timedelta(hours=1), *boss, case, "close", way="http" if manner % 2 else "kafka"),
        ]
        if manner == 3:  # noqa: PLR2004 - the trouble comes back
            reopened = self.after(at, "24wh")
            ended.append(Act(reopened, "luo-dan", "assistant", case, "reopen", {"reason": "问题再次出现"}))
        return ended

    def _homes(self, case: str, at: datetime, manner: int) -> list[Act]:
        service, boss, head = ("ye-qing", "customer_service"), ("su-yun", "executive"), ("shen-gang", "owner")
        acts = [
            Act(self.after(at, "1wh"), *service, case, "report", {"text": "投诉信息汇报。"}),
            Act(self.after(at, "2wh"), *service, case, "route", {"department": "homes_engineering"}),
            Act(self.after(at, "4wh"), *head, case, "sign"),
        ]
        if manner == 0:  # signed and forgotten: up to the general manager
            return acts
        plan = self.after(at, "16wh")
        acts += [
            Act(self.after(at, "6wh"), *head, case, "contact", {"text": "已到现场查看。"}),
            Act(plan - timedelta(minutes=30), "qiu-bin", "handler", case, "submit_measures", {"text": "维修方案。"}),
            Act(plan, *head, case, "sign_off"),
        ]
        if manner in (1, 2, 3):  # the executive says nothing: deemed approved after two working days
            begun = self.after(plan, "24wh")
            acts.append(Act(self.after(plan, "22wh"), *boss, case, "approve"))  # too late: refused, the deemed event stands
        elif manner == 4:  # noqa: PLR2004 - to be drawn up again
            redrawn = self.after(plan, "12wh")
            acts += [
                Act(self.after(plan, "3wh"), *boss, case, "reject", {"demands": "请重新制定。"}),
                Act(redrawn, *head, case, "submit_measures", {"text": "新方案。"}),
                Act(self.after(redrawn, "2wh"), *boss, case, "approve"),
            ]
            begun = self.after(redrawn, "4wh")
        else:
            acts.append(Act(self.after(plan, "4wh"), *boss, case, "approve"))
            begun = self.after(plan, "6wh")
        return acts + self._homes_end(case, begun)

    def _homes_end(self, case: str, begun: datetime) -> list[Act]:
        service, head = ("ye-qing", "customer_service"), ("shen-gang", "owner")
        done = self.after(begun, "16wh")
        return [
            Act(begun, *head, case, "start_work"),
            Act(done, *head, case, "handle"),
            Act(self.after(done, "3wh"), *service, case, "verify", {"passed": True}),
            Act(self.after(done, "5wh"), *service, case, "close", way="http"),
        ]

    def _telecom(self, case: str, at: datetime, body: dict[str, Any], manner: int) -> list[Act]:
        if manner == 0 or "special_limit" in body.get("facts", {}):
            return []
        answer = self.after(at, "5wh" if manner > 2 else "30wh")  # noqa: PLR2004 - some answers come late
        service = ("bai-lu", "customer_service")
        return [
            Act(answer, *service, case, "answer", {"text": "处理结果答复。"}),
            Act(self.after(answer, "8wh"), *service, case, "handle"),
            Act(self.after(answer, "10wh"), *service, case, "close", way="http" if manner % 2 else "kafka"),
        ]
