"""Draws a clock from the explanation of its deadline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from services.desk.drawings.clock.clock_data import ClockData, ClockDay
from services.desk.drawings.clock.duration_text import duration_text
from services.desk.drawings.clock.time_picture import draw_time_rows
from services.desk.drawings.clock.week_picture import draw_week_rows
from services.desk.drawings.picture import DataTable, Drawing
from services.desk.drawings.words import WORDS, day_text, minute_text
from shared.procedures.model.procedure import LanguageCode


def draw_clock(clock: ClockData, language: LanguageCode, key: str) -> Drawing:
    """The picture and the table of a clock; `key` is unique in the page."""
    words = WORDS[language]
    title = words["clock_title"].format(name=clock.name)
    due = words["open_due"] if clock.due is None else words["due_at"].format(at=minute_text(clock.due))
    description = f"{due}. {words['provisional']}." if clock.provisional else f"{due}."
    draw = draw_week_rows if clock.days else draw_time_rows
    return Drawing(draw(clock, language, key, (title, description)), _table(clock, language, f"{title} · {due}"))


def day_state(day: ClockDay, language: LanguageCode) -> str:
    """Why a day counts or not, in words."""
    words = WORDS[language]
    parts = [words[day.because]]
    parts += [f"{words['half_day']} {', '.join(day.hours)}"] if day.hours else []
    parts += [words["not_published"]] if day.is_guessed else []
    return " · ".join(parts)


def _table(clock: ClockData, language: LanguageCode, caption: str) -> DataTable:
    words = WORDS[language]
    heads = (words["from"], words["to"], words["state"], words["amount"])
    rows = [*_mark_rows(clock, language), *_stretch_rows(clock, language), *_day_rows(clock, language)]
    return DataTable(caption, heads, tuple(row for _, row in sorted(rows, key=lambda each: each[0])))


_Row = tuple[str, tuple[str, str, str, str]]


def _mark_rows(clock: ClockData, language: LanguageCode) -> Iterator[_Row]:
    for mark in clock.marks:
        at = minute_text(mark.at)
        yield at, (at, "", WORDS[language][mark.kind], "")


def _stretch_rows(clock: ClockData, language: LanguageCode) -> Iterator[_Row]:
    for stretch in clock.stretches:
        length = duration_text(timedelta(seconds=stretch.end.timestamp() - stretch.start.timestamp()))
        begin = minute_text(stretch.start)
        yield begin, (begin, minute_text(stretch.end), WORDS[language][stretch.kind], length)


def _day_rows(clock: ClockData, language: LanguageCode) -> Iterator[_Row]:
    for day in clock.days:
        count = "" if day.number is None else str(day.number)
        yield str(day.day), (f"{day.day} ({day_text(day.day, language)})", "", day_state(day, language), count)
    for off, because in clock.days_off.items():
        yield str(off), (f"{off} ({day_text(off, language)})", "", WORDS[language][because], "")
