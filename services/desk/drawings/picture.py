"""Builds an SVG picture: shapes and fitted text, coloured by the classes of the page's style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from services.desk.drawings.text_fit import clean_text, fit_text

TextAnchor = Literal["start", "middle", "end"]
FillPattern = Literal["solid", "hatch", "dots", "cross", "empty"]
"""How an area is filled. Neighbouring categories differ by pattern, so that none is distinguished by colour alone."""

SMALL: Final = 11.0
NORMAL: Final = 13.0
PATTERNS: Final[tuple[FillPattern, ...]] = ("solid", "hatch", "dots", "cross", "empty")
_TILE: Final = 6


@dataclass(frozen=True, slots=True)
class DataTable:
    """The data of a picture as texts, for those who cannot or do not want to see it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture, safe to put into a page, and the table of the same data."""

    svg: Markup
    table: DataTable


class Picture:
    """An SVG document in the making; `key` is unique in the page, because ids of patterns and titles are."""

    def __init__(self, key: str, width: float, height: float, title: str, description: str) -> None:
        self.key = key
        self.width = width
        self.height = height
        self._root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "drawing",
                "viewBox": f"0 0 {_number(width)} {_number(height)}",
                "role": "img",
                "aria-labelledby": f"{key}-title {key}-desc",
            },
        )
        self._add("title", id=f"{key}-title").text = clean_text(title)
        self._add("desc", id=f"{key}-desc").text = clean_text(description)
        self._add_patterns()

    def rectangle(self, box: tuple[float, float, float, float], css_class: str, fill: FillPattern = "solid", hint: str = "") -> None:
        """A rectangle (x, y, width, height); `hint` is shown where a pointer rests on it."""
        x, y, width, height = box
        element = self._add("rect", x=x, y=y, width=width, height=height)
        element.set("class", css_class)
        self._set_fill(element, fill)
        self._set_hint(element, hint)

    def line(self, start: tuple[float, float], end: tuple[float, float], css_class: str, dashes: str = "") -> None:
        """A straight line."""
        element = self._add("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1])
        element.set("class", css_class)
        element.set("stroke", "currentColor")
        if dashes:
            element.set("stroke-dasharray", dashes)

    def polygon(self, points: list[tuple[float, float]], css_class: str, hint: str = "") -> None:
        """A filled polygon."""
        element = self._add("polygon", points=" ".join(f"{_number(x)},{_number(y)}" for x, y in points))
        element.set("class", css_class)
        element.set("fill", "currentColor")
        self._set_hint(element, hint)

    def polyline(self, points: list[tuple[float, float]], css_class: str) -> None:
        """An open line through points."""
        element = self._add("polyline", points=" ".join(f"{_number(x)},{_number(y)}" for x, y in points))
        element.set("class", css_class)
        element.set("fill", "none")
        element.set("stroke", "currentColor")

    def text(
        self,
        at: tuple[float, float],
        text: str,
        room: float,
        *,
        anchor: TextAnchor = "start",
        size: float = SMALL,
        css_class: str = "label",
    ) -> None:
        """A text in one line that takes at most `room`; where it is shortened, the whole text is its hint."""
        whole = clean_text(text)
        shown = fit_text(whole, size, room)
        if not shown:
            return
        element = self._add("text", x=at[0], y=at[1])
        element.set("class", css_class)
        element.set("font-size", _number(size))
        element.set("text-anchor", anchor)
        element.set("fill", "currentColor")
        if shown == whole:
            element.text = shown
        else:
            hint = SubElement(element, "title")
            hint.text, hint.tail = whole, shown

    def markup(self) -> Markup:
        """The document as text; every text in it is escaped."""
        return Markup(tostring(self._root, encoding="unicode"))  # noqa: S704 - the serializer escapes

    def _add(self, tag: str, **attributes: float | str) -> Element:
        return SubElement(
            self._root, tag, {name: value if isinstance(value, str) else _number(value) for name, value in attributes.items()}
        )

    def _set_fill(self, element: Element, fill: FillPattern) -> None:
        element.set("stroke", "currentColor")
        if fill == "solid":
            element.set("fill", "currentColor")
            # Lines and texts of the same colour stay visible on it.
            element.set("fill-opacity", "0.6")
        elif fill == "empty":
            element.set("fill", "none")
        else:
            element.set("fill", f"url(#{self.key}-{fill})")

    def _set_hint(self, element: Element, hint: str) -> None:
        if hint:
            SubElement(element, "title").text = clean_text(hint)

    def _add_patterns(self) -> None:
        # Attributes, not styles: the pages' Content-Security-Policy forbids inline styles.
        definitions = self._add("defs")
        shapes = {"hatch": "M0,6 L6,0", "dots": "M2,3 h2", "cross": "M0,6 L6,0 M0,0 L6,6"}
        for name, path in shapes.items():
            tile = {"id": f"{self.key}-{name}", "width": str(_TILE), "height": str(_TILE), "patternUnits": "userSpaceOnUse"}
            pattern = SubElement(definitions, "pattern", tile)
            width = "2" if name == "dots" else "1"
            SubElement(pattern, "path", {"d": path, "stroke": "currentColor", "stroke-width": width, "fill": "none"})


def _number(value: float) -> str:
    # Two decimals, so that the same data gives the same bytes on every platform.
    return f"{value:.2f}".rstrip("0").rstrip(".")
