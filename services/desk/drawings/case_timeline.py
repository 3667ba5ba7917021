"""Draws the timeline of a case: what happened in lanes by kind, and each deadline as a bar from its start to its due instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

from services.desk.drawings.picture import NORMAL, DataTable, Drawing, FillPattern, Picture
from services.desk.drawings.words import WORDS, minute_text
from shared.procedures.model.procedure import LanguageCode

TimelineLane = Literal["event", "message", "attachment", "link"]
SpanState = Literal["running", "met", "missed", "paused"]
_WIDTH: Final = 720.0
_MARGIN: Final = 10.0
_LABEL_WIDTH: Final = 170.0
_LEFT: Final = _MARGIN + _LABEL_WIDTH + 12
_TRACK: Final = _WIDTH - _LEFT - 30
_HEAD: Final = 50.0
_ROW: Final = 26.0
_MARK: Final = 4.0
_NOW_WIDTH: Final = 170.0
_JOINED: Final = 9.0
_LANES: Final[tuple[TimelineLane, ...]] = ("event", "message", "attachment", "link")
_FILLS: Final[dict[SpanState, FillPattern]] = {"running": "empty", "met": "solid", "missed": "cross", "paused": "hatch"}


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """Something that happened at an instant."""

    at: datetime
    lane: TimelineLane
    title: str


@dataclass(frozen=True, slots=True)
class TimelineSpan:
    """A deadline: `end` is its due instant, or when it was met; None while an open pause holds it."""

    start: datetime
    end: datetime | None
    title: str
    state: SpanState


@dataclass(frozen=True)
class CaseTimelineData:
    """The contents of the drawing; instants in one zone."""

    name: str
    items: Sequence[TimelineItem]
    spans: Sequence[TimelineSpan]
    now: datetime

    # Each mark asks for it: without the cache the picture of 300 events takes the square of their number.
    @cached_property
    def range(self) -> tuple[datetime, datetime]:
        """The first and the last instant."""
        instants = [self.now, *(item.at for item in self.items), *(span.start for span in self.spans)]
        instants += [span.end for span in self.spans if span.end is not None]
        return min(instants), max(instants)


def draw_case_timeline(timeline: CaseTimelineData, language: LanguageCode, key: str) -> Drawing:
    """The picture and the table; marks that would overlap are one mark with their number."""
    words = WORDS[language]
    lanes = [lane for lane in _LANES if any(item.lane == lane for item in timeline.items)]
    title = words["timeline_title"].format(name=timeline.name)
    first, last = (minute_text(at) for at in timeline.range)
    height = _HEAD + (len(lanes) + len(timeline.spans)) * _ROW + 28
    picture = Picture(key, _WIDTH, height, title, f"{first} – {last}")
    picture.text((_MARGIN, 20), title, _WIDTH - 2 * _MARGIN, size=NORMAL, css_class="heading")
    picture.text((_LEFT, _HEAD - 10), first, _TRACK / 2, css_class="tick")
    picture.text((_LEFT + _TRACK, _HEAD - 10), last, _TRACK / 2 - 4, anchor="end", css_class="tick")
    top = _HEAD
    for lane in lanes:
        picture.text((_MARGIN, top + 15), words[f"lane_{lane}"], _LABEL_WIDTH)
        picture.line((_LEFT, top + 11), (_LEFT + _TRACK, top + 11), "grid")
        _draw_marks(picture, timeline, lane, top + 11)
        top += _ROW
    for span in timeline.spans:
        _draw_span(picture, timeline, span, top, language)
        top += _ROW
    x = _x(timeline, timeline.now)
    picture.line((x, _HEAD), (x, top), "stem stem-now", "2 2")
    now = f"{words['now']} {minute_text(timeline.now)}"
    picture.text((min(x, _WIDTH - _NOW_WIDTH), top + 16), now, _NOW_WIDTH, css_class="label label-now")
    return Drawing(picture.markup(), _table(timeline, language, title))


def _x(timeline: CaseTimelineData, at: datetime) -> float:
    first, last = timeline.range
    length = last.timestamp() - first.timestamp()
    return _LEFT + (_TRACK * (at.timestamp() - first.timestamp()) / length if length else 0)


def _joined(timeline: CaseTimelineData, lane: TimelineLane) -> Iterator[tuple[float, list[TimelineItem]]]:
    """The items of a lane from left to right; those closer than a mark's width are merged."""
    group: list[TimelineItem] = []
    place = 0.0
    for item in sorted((item for item in timeline.items if item.lane == lane), key=lambda each: each.at):
        x = _x(timeline, item.at)
        if group and x - place > _JOINED:
            yield place, group
            group = []
        if not group:
            place = x
        group.append(item)
    if group:
        yield place, group


def _draw_marks(picture: Picture, timeline: CaseTimelineData, lane: TimelineLane, y: float) -> None:
    for x, items in _joined(timeline, lane):
        corners = {
            "event": [(x - _MARK, y - _MARK), (x + _MARK, y - _MARK), (x + _MARK, y + _MARK), (x - _MARK, y + _MARK)],
            "message": [(x, y - _MARK), (x + _MARK, y + _MARK), (x - _MARK, y + _MARK)],
            "attachment": [(x, y - _MARK), (x + _MARK, y), (x, y + _MARK), (x - _MARK, y)],
            "link": [(x - _MARK, y - _MARK), (x + _MARK, y - _MARK), (x, y + _MARK)],
        }
        hint = "; ".join(f"{minute_text(item.at)} {item.title}" for item in items)
        picture.polygon(corners[lane], f"lane lane-{lane}", hint)
        if len(items) > 1:
            picture.text((x, y - _MARK - 1), str(len(items)), 30, anchor="middle", size=9, css_class="count")


def _draw_span(picture: Picture, timeline: CaseTimelineData, span: TimelineSpan, top: float, language: LanguageCode) -> None:
    word = WORDS[language][f"span_{span.state}"]
    end = timeline.now if span.end is None else span.end
    start, stop = sorted((_x(timeline, span.start), _x(timeline, end)))
    picture.text((_MARGIN, top + 15), f"{span.title} · {word}", _LABEL_WIDTH)
    picture.rectangle((start, top + 5, max(stop - start, 1), 12), f"span span-{span.state}", _FILLS[span.state], f"{span.title}: {word}")


def _table(timeline: CaseTimelineData, language: LanguageCode, caption: str) -> DataTable:
    words = WORDS[language]
    rows = [(item.at, "", words[f"lane_{item.lane}"], item.title) for item in timeline.items]
    for span in timeline.spans:
        end = words["open_due"] if span.end is None else minute_text(span.end)
        rows.append((span.start, end, words[f"span_{span.state}"], span.title))
    rows.append((timeline.now, "", words["now"], ""))
    rows.sort(key=lambda row: row[0])
    heads = (words["from"], words["to"], words["state"], words["event"])
    return DataTable(caption, heads, tuple((minute_text(at), *rest) for at, *rest in rows))
