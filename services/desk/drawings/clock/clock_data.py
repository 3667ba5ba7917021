"""The explanation of a deadline as instants and days; the shape is that of sla's `GET /v1/cases/{case}/clocks/{clock}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

StretchKind = Literal["counted", "paused"]
MarkKind = Literal["start", "reminder", "due", "ended", "now"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time from `start` to `end` that counted or during which the clock was paused."""

    start: datetime
    end: datetime
    kind: StretchKind


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant that the picture names."""

    at: datetime
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class ClockDay:
    """A day of a clock that counts whole days; `number` is its place among those that count, None if it does not."""

    day: date
    number: int | None
    because: str
    is_guessed: bool = False
    hours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockData:
    """One deadline of one round of a clock; instants in the calendar's zone.

    `days` is empty where time is counted, `stretches` holds only pauses where whole days are. `days_off` are reasons by day.
    """

    name: str
    zone: ZoneInfo
    due: datetime | None
    provisional: bool
    marks: tuple[Mark, ...]
    stretches: tuple[Stretch, ...] = ()
    days: tuple[ClockDay, ...] = ()
    days_off: Mapping[date, str] = field(default_factory=dict)

    @property
    def start(self) -> datetime:
        """The instant at which the clock began."""
        return next(mark.at for mark in self.marks if mark.kind == "start")


def clock_data(
    name: str,
    explanation: Mapping[str, Any],
    now: datetime,
    *,
    reminders: Iterable[str] = (),
    ended: str | None = None,
) -> ClockData:
    """Read an explanation: an element of `dues` of a round, and the round's reminders and end as ISO 8601 texts."""
    zone = ZoneInfo(explanation["calendar"]["zone"])
    due = _optional_instant(explanation["due"], zone)
    counts_days = explanation["unit"] in ("d", "wd")
    # An open pause goes on until now; a page that shows an older instant ends it there.
    pauses = [_pause(pause, now, zone) for pause in explanation["pauses"]]
    counted = [] if counts_days else [_counted_stretch(segment, zone) for segment in explanation["segments"]]
    marks = [Mark(_instant(explanation["start"], zone), "start")]
    marks += [Mark(_instant(at, zone), "reminder") for at in reminders]
    marks += [] if due is None else [Mark(due, "due")]
    marks += [] if ended is None else [Mark(_instant(ended, zone), "ended")]
    marks.append(Mark(now.astimezone(zone), "now"))
    return ClockData(
        name=name,
        zone=zone,
        due=due,
        provisional=explanation["provisional"],
        marks=tuple(sorted(marks, key=lambda mark: mark.at)),
        stretches=tuple(sorted([*counted, *(pause for pause in pauses if pause.end > pause.start)], key=lambda each: each.start)),
        days=tuple(_days(explanation)) if counts_days else (),
        days_off={date.fromisoformat(day["day"]): day["because"] for day in explanation.get("days_off", ())},
    )


def _days(explanation: Mapping[str, Any]) -> list[ClockDay]:
    days, count = [], 0
    for segment in explanation["segments"]:
        count += segment["amount"]
        number = count if segment["amount"] else None
        hours = tuple(segment.get("hours", ()))
        days.append(ClockDay(date.fromisoformat(segment["day"]), number, segment["because"], segment.get("guessed", False), hours))
    return days + _rolled_days(explanation["rolled"], {day.day for day in days})


def _rolled_days(rolled: Mapping[str, Any] | None, known: set[date]) -> list[ClockDay]:
    """The days over which the deadline moved, and the day to which it did."""
    if rolled is None:
        return []
    over: Sequence[Mapping[str, Any]] = rolled["over"]
    days = {date.fromisoformat(day["day"]): day["because"] for day in over}
    days.setdefault(date.fromisoformat(rolled["to"]), "rolled_over")
    return [ClockDay(day, None, because) for day, because in sorted(days.items()) if day not in known]


def _pause(pause: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> Stretch:
    end = now.astimezone(zone) if pause["to"] is None else _instant(pause["to"], zone)
    return Stretch(_instant(pause["from"], zone), end, "paused")


def _counted_stretch(segment: Mapping[str, Any], zone: ZoneInfo) -> Stretch:
    return Stretch(_instant(segment["from"], zone), _instant(segment["to"], zone), "counted")


def _instant(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).astimezone(zone)


def _optional_instant(text: str | None, zone: ZoneInfo) -> datetime | None:
    return None if text is None else _instant(text, zone)
