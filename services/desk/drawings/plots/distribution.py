"""Draws a distribution as horizontal bars, each with its label, count and share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.desk.drawings.picture import NORMAL, DataTable, Drawing, Picture
from services.desk.drawings.plots.scale import number_text
from services.desk.drawings.words import WORDS
from shared.procedures.model.procedure import LanguageCode

_WIDTH: Final = 720.0
_MARGIN: Final = 10.0
_LABEL_WIDTH: Final = 250.0
_COUNT_WIDTH: Final = 130.0
_LEFT: Final = _MARGIN + _LABEL_WIDTH + 8
_BAR_WIDTH: Final = _WIDTH - _LEFT - _COUNT_WIDTH - _MARGIN
_ROW: Final = 24.0
_BAR: Final = 14.0
_TOP: Final = 36.0


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole: how often something happened."""

    label: str
    count: float


def draw_distribution(title: str, shares: Sequence[Share], language: LanguageCode, key: str) -> Drawing:
    """The picture and the table, in the order of `shares`."""
    words = WORDS[language]
    total = sum(share.count for share in shares)
    largest = max((share.count for share in shares), default=0) or 1
    described = f"{words['total']} {number_text(total)}" if shares else words["no_data"]
    picture = Picture(key, _WIDTH, _TOP + max(len(shares), 1) * _ROW + 8, title, described)
    picture.text((_MARGIN, 20), f"{title} · {described}", _WIDTH - 2 * _MARGIN, size=NORMAL, css_class="heading")
    rows = []
    for index, share in enumerate(shares):
        top = _TOP + index * _ROW
        figures = (number_text(share.count), f"{share.count / total:.1%}" if total else words["none"])
        picture.text((_MARGIN + _LABEL_WIDTH, top + 12), share.label, _LABEL_WIDTH, anchor="end")
        length = _BAR_WIDTH * share.count / largest
        picture.rectangle((_LEFT, top, length, _BAR), "series series-1", "solid", f"{share.label}: {' · '.join(figures)}")
        picture.text((_LEFT + length + 6, top + 12), " · ".join(figures), _COUNT_WIDTH - 6)
        rows.append((share.label, *figures))
    return Drawing(picture.markup(), DataTable(title, (words["value"], words["count"], words["ratio"]), tuple(rows)))
