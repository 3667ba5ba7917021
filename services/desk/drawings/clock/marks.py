"""The shapes of instants in pictures: each kind has a shape and a word of its own."""

from __future__ import annotations

from typing import Final

from services.desk.drawings.clock.clock_data import Mark, MarkKind
from services.desk.drawings.picture import Picture
from services.desk.drawings.words import minute_text

MARK_SIZE: Final = 9.0
_SHAPES: Final[dict[MarkKind, list[tuple[float, float]]]] = {
    "start": [(0, 0), (1, 0.5), (0, 1)],
    "reminder": [(0.5, 0), (1, 1), (0, 1)],
    "due": [(0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5)],
    "ended": [(0, 0), (1, 0), (1, 1), (0, 1)],
    "now": [(0.35, 0), (0.65, 0), (0.65, 1), (0.35, 1)],
}


def mark_time(mark: Mark) -> str:
    """The time of day of a mark; `now` to the minute, since no one counts its seconds."""
    return f"{mark.at:%H:%M}" if mark.kind == "now" else minute_text(mark.at)[11:]


def draw_mark(picture: Picture, kind: MarkKind, left: float, top: float, hint: str = "") -> None:
    """Draw the shape of a mark into a square of `MARK_SIZE` with this corner."""
    points = [(left + x * MARK_SIZE, top + y * MARK_SIZE) for x, y in _SHAPES[kind]]
    picture.polygon(points, f"mark mark-{kind}", hint)
