"""Draws the weeks of a clock that counts whole days."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from services.desk.drawings.clock.clock_data import ClockData, ClockDay
from services.desk.drawings.clock.marks import MARK_SIZE, draw_mark, mark_time
from services.desk.drawings.clock.week_rows import DayCell, WeekRow, week_rows
from services.desk.drawings.picture import NORMAL, FillPattern, Picture
from services.desk.drawings.words import DAY_MARKS, WEEKDAYS, WORDS, minute_text
from shared.procedures.model.procedure import LanguageCode

_WIDTH: Final = 720.0
_MARGIN: Final = 8.0
_LEFT: Final = 20.0
_CELL: Final = (_WIDTH - _LEFT - _MARGIN) / 7
_CELL_HEIGHT: Final = 44.0
_MARK_HEIGHT: Final = 15.0
_FOLD_HEIGHT: Final = 24.0
_HEAD: Final = 48.0
_KEY_HEIGHT: Final = 30.0
_STRIP: Final = 7.0
_ROOM: Final = _CELL - 8
_FILLS: Final[dict[str, FillPattern]] = {"counted": "solid", "paused": "cross", "not_counted": "hatch"}


def draw_week_rows(clock: ClockData, language: LanguageCode, key: str, texts: tuple[str, str]) -> Markup:
    """The picture; `texts` are its title and description."""
    rows = week_rows(clock)
    heights = [_row_height(row) for row in rows]
    picture = Picture(key, _WIDTH, _HEAD + sum(heights) + _KEY_HEIGHT, *texts)
    picture.text((_MARGIN, 18), texts[0], _WIDTH - 2 * _MARGIN, size=NORMAL, css_class="heading")
    for column, name in enumerate(WEEKDAYS[language]):
        picture.text((_LEFT + (column + 0.5) * _CELL, _HEAD - 8), name, _ROOM, anchor="middle", css_class="tick")
    top = _HEAD
    for row, height in zip(rows, heights, strict=True):
        if row.cells:
            for column, cell in enumerate(row.cells):
                _draw_cell(picture, cell, (_LEFT + column * _CELL, top, _CELL, height), language)
        else:
            picture.text((_WIDTH / 2, top + 16), _fold_text(row, language), _WIDTH - 2 * _MARGIN, anchor="middle", css_class="note")
        top += height
    _draw_key(picture, top, language)
    return picture.markup()


def _row_height(row: WeekRow) -> float:
    if not row.cells:
        return _FOLD_HEIGHT
    return _CELL_HEIGHT + max(len(cell.marks) for cell in row.cells) * _MARK_HEIGHT


def _fold_text(row: WeekRow, language: LanguageCode) -> str:
    words = WORDS[language]
    counted = f" · {words['counted']} {row.counted}" if row.counted else ""
    return f"… {words['weeks'].format(count=row.week_count)}{counted} …"


def _draw_cell(picture: Picture, cell: DayCell, box: tuple[float, float, float, float], language: LanguageCode) -> None:
    left, top, width, height = box
    hint = "" if cell.day is None else WORDS[language][cell.day.because]
    picture.rectangle(box, "cell" if cell.day else "cell cell-outside", "empty", hint)
    picture.text((left + 4, top + 13), f"{cell.date:%m-%d}", _ROOM / 2, css_class="date")
    if cell.day is not None:
        state = _state(cell.day)
        word = _word(cell.day, language)
        picture.text((left + width - 4, top + 13), word, _ROOM / 2, anchor="end", css_class="note")
        if cell.day.number is not None:
            picture.text((left + 4, top + 32), f"{cell.day.number}", _ROOM, size=15, css_class="count")
        picture.rectangle((left, top + height - _STRIP, width, _STRIP), f"bar bar-{state}", _FILLS[state])
    for number, mark in enumerate(cell.marks):
        base = top + _CELL_HEIGHT + number * _MARK_HEIGHT
        # The end of a day is 24:00 of that day, in whose cell it stands.
        time = mark_time(mark) if mark.at.date() == cell.date else "24:00"
        label = f"{time} {WORDS[language][mark.kind]}"
        draw_mark(picture, mark.kind, left + 4, base - MARK_SIZE + 1, minute_text(mark.at))
        picture.text((left + 7 + MARK_SIZE, base), label, _ROOM - MARK_SIZE - 3, css_class=f"label label-{mark.kind}")


def _state(day: ClockDay) -> str:
    if day.number is not None:
        return "counted"
    return "paused" if day.because == "paused" else "not_counted"


def _word(day: ClockDay, language: LanguageCode) -> str:
    marks = DAY_MARKS[language]
    return marks["half_day"] if day.hours else marks.get(day.because, "")


def _draw_key(picture: Picture, top: float, language: LanguageCode) -> None:
    left = _LEFT
    for state, fill in _FILLS.items():
        picture.rectangle((left, top + 10, 16, 10), f"bar bar-{state}", fill)
        picture.text((left + 21, top + 19), WORDS[language][state], 130, css_class="key")
        left += 160
