"""Plans the demo's month: submissions and staff actions in order of time, identical in every run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
SOURCE_VOLUMES = (
    ("property-hotline", "property", "hotline", 110),
    ("property-web", "property", "web", 90),
    ("homes-service", "homes", "hotline", 46),
    ("homes-online", "homes", "app", 20),
    ("telecom-hotline", "telecom", "hotline", 52),
    ("telecom-official", "official", "regulator", 12),
)
"""Source, kind of text, channel, how many in the month."""
BURST_SIZE = 12
_SPECIAL_LIMIT_EVERY = 17
_RESENT_EVERY = 29


@dataclass(frozen=True, slots=True)
class ScriptedSubmission:
    """A submission: its instant (domain time), its source, its transport (`http`, `batch` or `kafka`), and its body."""

    at: datetime
    source: str
    transport: str
    body: dict[str, Any]
    case: str
    resend: bool = False


@dataclass(slots=True)
class MonthPlan:
    """Submissions and actions, each in order of time."""

    submissions: list[ScriptedSubmission] = field(default_factory=list)
    actions: list[ScriptedAction] = field(default_factory=list)


class SeededChoice:
    """Draws numbers that look random and are the same in every run, on every version of Python."""

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


def plan_month(staff: StaffPlanner) -> MonthPlan:
    """Plan the whole month."""
    texts = yaml.safe_load(COMPLAINTS_FILE.read_text(encoding="utf-8"))
    plan = MonthPlan()
    for source, text_kind, channel, number in SOURCE_VOLUMES:
        for index in range(number):
            received_on = (DAYS - 2) * index / number
            _plan_complaint(plan, staff, texts, (source, text_kind, channel), index, received_on)
    _plan_burst(plan, texts)
    _plan_resends(plan)
    plan.submissions.sort(key=lambda submission: submission.at)
    plan.actions.sort(key=lambda action: action.at)
    return plan


def _plan_complaint(
    plan: MonthPlan, staff: StaffPlanner, texts: dict[str, Any], origin: tuple[str, str, str], index: int, received_on: float
) -> None:
    """Add a complaint and what the staff does about it; `received_on` is its day of the month."""
    source, text_kind, channel = origin
    choice = SeededChoice(f"{source}-{index}")
    at = START + timedelta(days=received_on, minutes=choice.number_below(600))
    template = choice.choose(texts[text_kind])
    body = _submission_body(texts, template, choice, at, channel, f"{source}-{index:04}")
    if text_kind == "telecom" and index % _SPECIAL_LIMIT_EVERY == 5:  # noqa: PLR2004 - any remainder
        body["facts"] = {**body.get("facts", {}), "special_limit": (at + timedelta(days=1)).isoformat()}
    transport = "kafka" if source == "telecom-official" or index % 3 == 0 else "batch" if index % 7 == 0 else "http"
    submission = ScriptedSubmission(at, source, transport, body, case_id(source, channel, body["external_id"]))
    plan.submissions.append(submission)
    plan.actions.extend(action for action in staff.actions_for(text_kind, submission.case, at, body, choice) if action.at < END)


def _submission_body(
    texts: dict[str, Any], template: dict[str, Any], choice: SeededChoice, at: datetime, channel: str, reference: str
) -> dict[str, Any]:
    room = f"{choice.number_below(20) + 1}{choice.number_below(30) + 101}"
    text = template["text"].format(place=choice.choose(texts["places"]), room=room)
    body: dict[str, Any] = {
        "received_at": at.isoformat(),
        "channel": channel,
        "external_id": reference,
        "text": f"{choice.choose(texts['openings'])}{text}。{choice.choose(texts['closings'])}",
        "complainant": {"kind": "customer", "name": choice.choose(texts["names"]), "phone": f"139{choice.number_below(10**8):08}"},
    }
    if choice.number_below(9) == 0:  # without a phone number, triage takes the complainant for a new person
        del body["complainant"]["phone"]
    if template.get("facts"):
        body["facts"] = template["facts"]
    return body


def _plan_burst(plan: MonthPlan, texts: dict[str, Any]) -> None:
    """Add twelve reports of one fault within 25 minutes: the tenth makes a group, which reclassifies the nine before it as urgent."""
    begin = START + timedelta(days=15, hours=2)
    for index in range(BURST_SIZE):
        at = begin + timedelta(minutes=2 * index)
        body = _submission_body(texts, texts["burst"], SeededChoice(f"burst-{index}"), at, "hotline", f"burst-{index:04}")
        # Triage counts reports of one kind of fault in this procedure.
        body["facts"] = {"fault_kind": texts["burst"]["fault_kind"]}
        case = case_id("telecom-hotline", "hotline", body["external_id"])
        plan.submissions.append(ScriptedSubmission(at, "telecom-hotline", "http", body, case))


def _plan_resends(plan: MonthPlan) -> None:
    """Repeat some submissions, as contact centres do after a time-out; each stays one case."""
    resent = [submission for index, submission in enumerate(plan.submissions) if index % _RESENT_EVERY == 3]  # noqa: PLR2004 - any remainder
    plan.submissions += [replace(submission, at=submission.at + timedelta(hours=3), resend=True) for submission in resent]
