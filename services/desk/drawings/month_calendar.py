"""Draws the months of a calendar: each day with its kind, its hours, and what falls on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from services.desk.drawings.picture import NORMAL, DataTable, Drawing, FillPattern, Picture
from services.desk.drawings.words import DAY_MARKS, WEEKDAYS, WORDS, day_text
from shared.procedures.calendars.calendar import Calendar, format_interval
from shared.procedures.model.procedure import LanguageCode

DayKind = Literal["working_day", "make_up_day", "half_day", "weekend", "day_off"]
_SATURDAY: Final = 5
_ONE_DAY: Final = timedelta(days=1)
_WIDTH: Final = 720.0
_MARGIN: Final = 10.0
_CELL: Final = (_WIDTH - 2 * _MARGIN) / 7
_CELL_HEIGHT: Final = 60.0
_HEAD: Final = 52.0
_KEY_HEIGHT: Final = 30.0
_STRIP: Final = 7.0
_ROOM: Final = _CELL - 8
_LINE: Final = 14.0
_FILLS: Final[dict[DayKind, FillPattern]] = {
    "working_day": "empty",
    "make_up_day": "cross",
    "half_day": "dots",
    "weekend": "hatch",
    "day_off": "solid",
}


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of a calendar; `hours` are its working intervals, `is_guessed` where its schedule is not yet announced."""

    day: date
    kind: DayKind
    hours: tuple[str, ...]
    is_guessed: bool = False


def calendar_days(calendar: Calendar, first: date, last: date) -> list[CalendarDay]:
    """The days from `first` to `last`, both inclusive."""
    dates = (first + number * _ONE_DAY for number in range((last - first).days + 1))
    return [_calendar_day(calendar, day) for day in dates]


def _calendar_day(calendar: Calendar, day: date) -> CalendarDay:
    intervals = calendar.intervals_on(day)
    is_weekend = day.weekday() >= _SATURDAY
    usual = calendar.hours[day.weekday()]
    kind: DayKind
    if not intervals:
        kind = "day_off" if usual or day in calendar.days or day in calendar.statutory_days else "weekend"
    elif is_weekend and day in calendar.days:
        kind = "make_up_day"
    else:
        kind = "working_day" if intervals == usual else "half_day"
    hours = tuple(format_interval(interval) for interval in intervals)
    return CalendarDay(day, kind, hours, is_guessed=not calendar.is_published(day))


def draw_month(
    days: list[CalendarDay], notes: Mapping[date, str], language: LanguageCode, key: str, *, today: date | None = None
) -> Drawing:
    """The month of the first of `days` (all of one month); `notes` are words in the cells of their days."""
    words = WORDS[language]
    first = days[0].day
    title = words["month_title"].format(year=first.year, month=first.month)
    described = "; ".join(f"{day} {note}" for day, note in sorted(notes.items()) if day.month == first.month) or title
    weeks = (first.weekday() + len(days) + 6) // 7
    picture = Picture(key, _WIDTH, _HEAD + weeks * _CELL_HEIGHT + _KEY_HEIGHT, title, described)
    picture.text((_MARGIN, 20), title, _WIDTH - 2 * _MARGIN, size=NORMAL, css_class="heading")
    for column, name in enumerate(WEEKDAYS[language]):
        picture.text((_MARGIN + (column + 0.5) * _CELL, _HEAD - 8), name, _ROOM, anchor="middle", css_class="tick")
    for number, day in enumerate(days, first.weekday()):
        left, top = _MARGIN + number % 7 * _CELL, _HEAD + number // 7 * _CELL_HEIGHT
        _draw_day(picture, day, (left, top), _notes_of(day, notes, today, language), language)
    _draw_key(picture, _HEAD + weeks * _CELL_HEIGHT, language)
    return Drawing(picture.markup(), _table(days, notes, language, title))


def _notes_of(day: CalendarDay, notes: Mapping[date, str], today: date | None, language: LanguageCode) -> list[str]:
    words = WORDS[language]
    listed = [notes[day.day]] if day.day in notes else []
    return listed + ([words["now"]] if day.day == today else []) + ([words["not_published"]] if day.is_guessed else [])


def _draw_day(picture: Picture, day: CalendarDay, corner: tuple[float, float], notes: list[str], language: LanguageCode) -> None:
    left, top = corner
    hint = f"{WORDS[language][day.kind]} {', '.join(day.hours)}".strip()
    marked = " cell-marked" if notes else ""
    picture.rectangle((left, top, _CELL, _CELL_HEIGHT), f"cell cell-{day.kind}{marked}", "empty", hint)
    picture.text((left + 4, top + 14), f"{day.day.day}", _ROOM / 2, size=NORMAL, css_class="date")
    picture.text((left + _CELL - 4, top + 14), DAY_MARKS[language].get(day.kind, ""), _ROOM / 2, anchor="end", css_class="note")
    for number, note in enumerate(notes[:2]):
        picture.text((left + 4, top + 30 + number * _LINE), note, _ROOM, css_class="label")
    picture.rectangle((left, top + _CELL_HEIGHT - _STRIP, _CELL, _STRIP), f"bar bar-{day.kind}", _FILLS[day.kind])


def _draw_key(picture: Picture, top: float, language: LanguageCode) -> None:
    step = (_WIDTH - 2 * _MARGIN) / len(_FILLS)
    for number, (kind, fill) in enumerate(_FILLS.items()):
        left = _MARGIN + number * step
        picture.rectangle((left, top + 10, 16, 10), f"bar bar-{kind}", fill)
        picture.text((left + 21, top + 19), WORDS[language][kind], step - 25, css_class="key")


def _table(days: list[CalendarDay], notes: Mapping[date, str], language: LanguageCode, caption: str) -> DataTable:
    words = WORDS[language]
    heads = (words["date"], words["state"], words["hours"], words["event"])
    rows = tuple(
        (
            day_text(day.day, language),
            words[day.kind] + (f" · {words['not_published']}" if day.is_guessed else ""),
            ", ".join(day.hours),
            notes.get(day.day, ""),
        )
        for day in days
    )
    return DataTable(caption, heads, rows)
