"""Reads a drawing as a browser would: its size, its shapes, and its texts with the widths of a real font."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from xml.etree.ElementTree import Element, fromstring

import noto_cjk_sans_otc
from fpdf import FPDF

_SVG = "{http://www.w3.org/2000/svg}"
_SIMPLIFIED_CHINESE = 2
_TOLERANCE = 0.02
LONG_NAMES = ("电梯困人投诉首次答复时限" * 5, "Waiting for the manager's written answer, W" + "M" * 20, 'a"<&>\x00\u200b' * 10)


@dataclass(frozen=True)
class SvgText:
    """A text with its left and right edge."""

    left: float
    right: float
    y: float
    text: str
    css_class: str


@dataclass(frozen=True)
class SvgPicture:
    """A parsed drawing."""

    root: Element
    width: float
    height: float

    @classmethod
    def parse(cls, svg: str) -> SvgPicture:
        root = fromstring(svg)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        return cls(root, width, height)

    def texts(self) -> list[SvgText]:
        return [_text(element) for element in self.root.iter(f"{_SVG}text")]

    def points(self) -> Iterator[tuple[float, float]]:
        """Every corner of every shape."""
        for element in self.root.iter():
            values = element.attrib
            if element.tag == f"{_SVG}rect":
                x, y = float(values["x"]), float(values["y"])
                yield from ((x, y), (x + float(values["width"]), y + float(values["height"])))
            elif element.tag == f"{_SVG}line":
                yield from ((float(values["x1"]), float(values["y1"])), (float(values["x2"]), float(values["y2"])))
            elif element.tag in (f"{_SVG}polygon", f"{_SVG}polyline"):
                for pair in values["points"].split():
                    x, y = map(float, pair.split(","))
                    yield x, y

    def of_class(self, css_class: str) -> list[Element]:
        return [element for element in self.root.iter() if css_class in element.get("class", "").split()]


def assert_readable(svg: str) -> SvgPicture:
    """Everything lies inside the picture, which has a title, a description, no script and no inline style."""
    picture = SvgPicture.parse(svg)
    for x, y in picture.points():
        assert -_TOLERANCE <= x <= picture.width + _TOLERANCE
        assert -_TOLERANCE <= y <= picture.height + _TOLERANCE
    for text in picture.texts():
        assert text.left >= -_TOLERANCE, text
        assert text.right <= picture.width + _TOLERANCE, text
        assert 0 < text.y <= picture.height, text
    labelled_by = picture.root.attrib["aria-labelledby"].split()
    ids = {element.get("id"): element for element in picture.root.iter() if element.get("id")}
    assert all(ids[name].text for name in labelled_by)
    assert picture.root.attrib["role"] == "img"
    assert not [element for element in picture.root.iter() if element.tag.endswith("script") or "style" in element.attrib]
    return picture


def _text(element: Element) -> SvgText:
    shown = element.text or element[0].tail or ""
    width = font_width(shown) * float(element.attrib["font-size"])
    x = float(element.attrib["x"])
    left = {"start": x, "middle": x - width / 2, "end": x - width}[element.attrib["text-anchor"]]
    return SvgText(left, left + width, float(element.attrib["y"]), shown, element.attrib["class"])


def font_width(text: str) -> float:
    return sum(_advance(character) for character in text)


@cache
def _advance(character: str) -> float:
    return _font().get_string_width(character)


@cache
def _font() -> FPDF:
    document = FPDF(unit="pt")
    document.add_font("Noto", fname=str(noto_cjk_sans_otc.FONT_PATH), collection_font_number=_SIMPLIFIED_CHINESE)
    document.set_font("Noto", size=1)
    return document
