"""What the demo's month consists of: who complains when about what, and what the staff does about it; the same in every run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import yaml

from cli.demo.demo_files import COMPLAINTS_FILE
from cli.demo.staff import ScriptedAction, StaffPlanner
from services.intake.domain.submission import case_id

START = datetime.fromisoformat("2026-09-14T08:00:00+08:00")
DAYS = 30
END = START + timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class ScriptedSubmission:
    """A submission: when (domain time), from which source, by which way (`http`, `batch` or `kafka`), and its body."""

    at: datetime
    source: str
    transport: str
    body: dict[str, Any]
    case: str
    resend: bool = False


@dataclass(slots=True)
class MonthPlan:
    """The month: submissions and actions, in order of time."""

    submissions: list[ScriptedSubmission] = field(default_factory=list)
    actions: list[ScriptedAction] = field(default_factory=list)


class SeededChoice:
    """Choices that look random and are the same in every run."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def number_below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""
        self._drawn += 1
        return int.from_bytes(sha256(f"{self._seed}/{self._drawn}".encode()).digest()[:8]) % limit

    def choose(self, options: list[Any]) -> Any:
        """One of the options."""
        return options[self.number_below(len(options))]


SOURCE_VOLUMES = (
    ("property-hotline", "property", "hotline", 110),
    ("property-web", "property", "web", 90),
    ("homes-service", "homes", "hotline", 46),
    ("homes-online", "homes", "app", 20),
    ("telecom-hotline", "telecom", "hotline", 52),
    ("telecom-official", "official", "regulator", 12),
)
"""Source, kind of text, channel, how many in the month."""
BURST = 12


def plan_month(staff: StaffPlanner) -> MonthPlan:
    """The plan of the whole month."""
    texts = yaml.safe_load(COMPLAINTS_FILE.read_text(encoding="utf-8"))
    plan = MonthPlan()
    for source, kind, channel, number in SOURCE_VOLUMES:
        for index in range(number):
            _plan_complaint(plan, staff, texts, (source, kind, channel), index, number)
    _plan_burst(plan, texts)
    _plan_resends(plan)
    plan.submissions.sort(key=lambda each: each.at)
    plan.actions.sort(key=lambda each: each.at)
    return plan


def _plan_complaint(
    plan: MonthPlan, staff: StaffPlanner, texts: dict[str, Any], kind: tuple[str, str, str], index: int, number: int
) -> None:
    source, text_kind, channel = kind
    chance = SeededChoice(f"{source}-{index}")
    at = START + timedelta(days=(DAYS - 2) * index / number, minutes=chance.number_below(600))
    template = chance.choose(texts[text_kind])
    body = _body(texts, template, chance, at, channel, f"{source}-{index:04}")
    if text_kind == "telecom" and index % 17 == 5:  # noqa: PLR2004 - every seventeenth has a limit that a leader set
        body["facts"] = {**body.get("facts", {}), "special_limit": (at + timedelta(days=1)).isoformat()}
    way = "kafka" if source == "telecom-official" or index % 3 == 0 else "batch" if index % 7 == 0 else "http"
    sent = ScriptedSubmission(at, source, way, body, case_id(source, channel, body["external_id"]))
    plan.submissions.append(sent)
    plan.actions.extend(act for act in staff.actions_for(text_kind, sent.case, at, body, chance) if act.at < END)


def _body(
    texts: dict[str, Any], template: dict[str, Any], chance: SeededChoice, at: datetime, channel: str, reference: str
) -> dict[str, Any]:
    room = f"{chance.number_below(20) + 1}{chance.number_below(30) + 101}"
    text = template["text"].format(place=chance.choose(texts["places"]), room=room)
    body: dict[str, Any] = {
        "received_at": at.isoformat(),
        "channel": channel,
        "external_id": reference,
        "text": f"{chance.choose(texts['openings'])}{text}。{chance.choose(texts['closings'])}",
        "complainant": {"kind": "customer", "name": chance.choose(texts["names"]), "phone": f"139{chance.number_below(10**8):08}"},
    }
    if chance.number_below(9) == 0:
        del body["complainant"]["phone"]
    if template.get("facts"):
        body["facts"] = template["facts"]
    return body


def _plan_burst(plan: MonthPlan, texts: dict[str, Any]) -> None:
    """Twelve reports of one fault within 25 minutes: the tenth makes all of them urgent, the nine before it too."""
    begun = START + timedelta(days=15, hours=2)
    for index in range(BURST):
        chance = SeededChoice(f"burst-{index}")
        at = begun + timedelta(minutes=2 * index)
        body = _body(texts, texts["burst"], chance, at, "hotline", f"burst-{index:04}")
        body["facts"] = {"fault_kind": texts["burst"]["fault_kind"]}
        plan.submissions.append(
            ScriptedSubmission(at, "telecom-hotline", "http", body, case_id("telecom-hotline", "hotline", body["external_id"]))
        )


def _plan_resends(plan: MonthPlan) -> None:
    """Some submissions are sent twice, as contact centres do after a time-out; they stay one case."""
    again = [sent for index, sent in enumerate(plan.submissions) if index % 29 == 3]  # noqa: PLR2004 - one in twenty-nine
    plan.submissions += [
        ScriptedSubmission(each.at + timedelta(hours=3), each.source, each.transport, each.body, each.case, resend=True) for each in again
    ]
