"""Draws the rows of a clock that counts time."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from services.desk.drawings.clock.clock_data import ClockData, Mark, StretchKind
from services.desk.drawings.clock.marks import MARK_SIZE, draw_mark, mark_time
from services.desk.drawings.clock.time_rows import TimeRow, time_rows
from services.desk.drawings.picture import NORMAL, SMALL, FillPattern, Picture
from services.desk.drawings.text_fit import text_width
from services.desk.drawings.words import WORDS, day_text, minute_text
from shared.procedures.model.procedure import LanguageCode

_WIDTH: Final = 720.0
_MARGIN: Final = 10.0
_TRACK_LEFT: Final = 150.0
_TRACK_WIDTH: Final = _WIDTH - _TRACK_LEFT - _MARGIN
_TRACK_HEIGHT: Final = 12.0
_LEVEL_HEIGHT: Final = 15.0
_ROW_GAP: Final = 8.0
_HEAD: Final = 44.0
_KEY_HEIGHT: Final = 26.0
_TICK_HOURS: Final = (0, 6, 12, 18, 24)
_FILLS: Final[dict[StretchKind, FillPattern]] = {"counted": "solid", "paused": "cross"}

_Label = tuple[int, float, Mark]
"""Level above the track, left edge, and the mark."""


def draw_time_rows(clock: ClockData, language: LanguageCode, key: str, texts: tuple[str, str]) -> Markup:
    """The picture; `texts` are its title and description."""
    rows = time_rows(clock)
    labels = [_place_labels(row, language) for row in rows]
    heights = [_row_height(each) for each in labels]
    picture = Picture(key, _WIDTH, _HEAD + sum(heights) + _KEY_HEIGHT, *texts)
    picture.text((_MARGIN, 18), texts[0], _WIDTH - 2 * _MARGIN, size=NORMAL, css_class="heading")
    for hour in _TICK_HOURS:
        picture.text((_hour_x(hour), _HEAD - 8), f"{hour:02}", 20, anchor="middle", css_class="tick")
    top = _HEAD
    for row, placed, height in zip(rows, labels, heights, strict=True):
        _draw_row(picture, row, placed, (top, height), language)
        top += height
    _draw_key(picture, top, language)
    return picture.markup()


def _hour_x(hour: int) -> float:
    return _TRACK_LEFT + _TRACK_WIDTH * hour / _TICK_HOURS[-1]


def _row_height(labels: list[_Label]) -> float:
    levels = 1 + max((level for level, _, _ in labels), default=-1)
    return levels * _LEVEL_HEIGHT + _TRACK_HEIGHT + _ROW_GAP


def _place_labels(row: TimeRow, language: LanguageCode) -> list[_Label]:
    """Put each label on the lowest level where it touches no other."""
    ends: list[float] = []
    labels: list[_Label] = []
    for place, mark in row.places:
        width = MARK_SIZE + 3 + text_width(_label(mark, language), SMALL)
        left = min(_TRACK_LEFT + place * _TRACK_WIDTH, _WIDTH - _MARGIN - width)
        level = next((index for index, end in enumerate(ends) if end + 4 <= left), len(ends))
        ends[level : level + 1] = [left + width]
        labels.append((level, left, mark))
    return labels


def _label(mark: Mark, language: LanguageCode) -> str:
    return f"{WORDS[language][mark.kind]} {mark_time(mark)}"


def _draw_row(picture: Picture, row: TimeRow, labels: list[_Label], box: tuple[float, float], language: LanguageCode) -> None:
    top, height = box
    track = top + height - _ROW_GAP - _TRACK_HEIGHT
    picture.text((_MARGIN, track + 10), _days_text(row, language), _TRACK_LEFT - 2 * _MARGIN)
    picture.rectangle((_TRACK_LEFT, track, _TRACK_WIDTH, _TRACK_HEIGHT), "track", "empty", _reasons_text(row, language))
    for bar in row.bars:
        left, width = _TRACK_LEFT + bar.start * _TRACK_WIDTH, (bar.end - bar.start) * _TRACK_WIDTH
        picture.rectangle((left, track, width, _TRACK_HEIGHT), f"bar bar-{bar.kind}", _FILLS[bar.kind], WORDS[language][bar.kind])
    if not row.bars and (reason := _reasons_text(row, language)):
        picture.text((_TRACK_LEFT + 6, track + 10), reason, _TRACK_WIDTH - 12, css_class="note")
    for place, mark in row.places:
        x = _TRACK_LEFT + place * _TRACK_WIDTH
        picture.line((x, top), (x, track + _TRACK_HEIGHT), f"stem stem-{mark.kind}", "2 2" if mark.kind == "now" else "")
    for level, left, mark in labels:
        base = track - 4 - level * _LEVEL_HEIGHT
        draw_mark(picture, mark.kind, left, base - MARK_SIZE + 1, minute_text(mark.at))
        picture.text(
            (left + MARK_SIZE + 3, base), _label(mark, language), _WIDTH - left - MARK_SIZE - 3, css_class=f"label label-{mark.kind}"
        )


def _days_text(row: TimeRow, language: LanguageCode) -> str:
    if row.day_count == 1:
        return day_text(row.first, language)
    days = WORDS[language]["days"].format(count=row.day_count)
    return f"{row.first:%m-%d}–{row.last:%m-%d} {days}"


def _reasons_text(row: TimeRow, language: LanguageCode) -> str:
    words = WORDS[language]
    return " · ".join(words[reason] for reason in row.reasons) or (words["not_counted"] if row.day_count > 1 else "")


def _draw_key(picture: Picture, top: float, language: LanguageCode) -> None:
    words = WORDS[language]
    samples: list[tuple[FillPattern, str, str]] = [
        ("solid", "bar bar-counted", words["counted"]),
        ("cross", "bar bar-paused", words["paused"]),
        ("empty", "track", words["closed"]),
    ]
    left = _TRACK_LEFT
    for fill, css_class, word in samples:
        picture.rectangle((left, top + 8, 16, 10), css_class, fill)
        picture.text((left + 21, top + 17), word, 130, css_class="key")
        left += 160
