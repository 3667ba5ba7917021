"""Reads an HTML page as a screen reader would: its fields with labels and notes, and what is wrong with its structure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})
_FIELDS = ("input", "textarea", "select")


@dataclass
class Element:
    """An element with its attributes, text and ancestors."""

    tag: str
    attributes: dict[str, str]
    ancestors: tuple["Element", ...]
    text: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")


@dataclass
class HtmlPage(HTMLParser):
    """A parsed page."""

    elements: list[Element] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []

    @classmethod
    def parse(cls, content: str) -> "HtmlPage":
        page = cls()
        page.feed(content)
        page.close()
        page.unclosed += [element.tag for element in page._open]
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1].tag == tag:
            self._open.pop()
        else:
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of a tag with these attributes."""
        return [
            element
            for element in self.elements
            if element.tag == tag and all(element[name.rstrip("_")] == value for name, value in attributes.items())
        ]

    def by_id(self, name: str) -> Element:
        """The element of an id."""
        [found] = [element for element in self.elements if element["id"] == name]
        return found

    def values(self) -> dict[str, Any]:
        """What the form would send without a change."""
        sent: dict[str, Any] = {}
        for element in self.elements:
            if element.tag == "textarea":
                sent[element["name"]] = element.text.removeprefix("\n")
            elif element.tag == "input" and element["type"] not in ("file", "checkbox", "radio"):
                sent.setdefault(element["name"], element["value"])
            elif "checked" in element.attributes:
                sent[element["name"]] = element["value"]
            elif element.tag == "option" and "selected" in element.attributes:
                sent[element.ancestors[-1]["name"]] = element["value"]
        return sent

    def accessibility_faults(self) -> Iterator[str]:
        """Fields without label, references to nothing, ids twice, a page without language, title or one heading."""
        ids = [element["id"] for element in self.elements if element["id"]]
        yield from (f"id {name} twice" for name in sorted({name for name in ids if ids.count(name) > 1}))
        labels = {label["for"] for label in self.all("label") if label.text.strip()}
        for element in self.elements:
            if element.tag in _FIELDS and element["type"] != "hidden":
                inside = any(ancestor.tag == "label" and ancestor.text.strip() for ancestor in element.ancestors)
                if element["id"] not in labels and not inside:
                    yield f"{element.tag} {element['name']} has no label"
            yield from (f"{element['id'] or element.tag} refers to {name}" for name in self._references(element) if name not in ids)
        if not self.all("html")[0]["lang"] or not self.all("title")[0].text.strip() or len(self.all("h1")) != 1:
            yield "language, title or heading is missing"
        yield from (f"{tag} is not closed in order" for tag in self.unclosed)
        yield from (f"fieldset {element['id']} has no legend" for element in self.all("fieldset") if not self._has_legend(element))

    def _references(self, element: Element) -> list[str]:
        anchor = element["href"].removeprefix("#") if element["href"].startswith("#") else ""
        return [*element["aria-describedby"].split(), *([element["for"]] if element["for"] else []), *([anchor] if anchor else [])]

    def _has_legend(self, fieldset: Element) -> bool:
        return any(legend.ancestors and legend.ancestors[-1] is fieldset for legend in self.all("legend"))
