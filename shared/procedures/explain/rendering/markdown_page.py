"""Renders an explanation as Markdown, for the reference pages."""

import re
from collections.abc import Iterator

from shared.procedures.explain.page import ExplanationPage, PageSection

# Characters that Markdown would read as marks of its own.
_MARKS = re.compile(r"([\\`*_<>\[\]|])")


def render_markdown(page: ExplanationPage, notice: str = "") -> str:
    """The page as Markdown; `notice` is under the title."""
    return "\n".join(_lines(page, notice)) + "\n"


def _lines(page: ExplanationPage, notice: str) -> Iterator[str]:
    yield f"# {_escaped(page.title)}"
    if notice:
        yield from ("", notice)
    for line in page.intro:
        yield from ("", _escaped(line))
    for section in page.clause_sections:
        yield from ("", f"## {_escaped(section.heading)}", "", f"> {_escaped(section.clause_text)}", "")
        yield from _entry_lines(section)
    for section in page.appendices:
        yield from ("", f"## {_escaped(section.heading)}", "")
        yield from _entry_lines(section)


def _entry_lines(section: PageSection) -> Iterator[str]:
    for entry in section.entries:
        first, *more = entry.lines
        yield f"- {_escaped(first)}"
        yield from (f"  - {_escaped(line)}" for line in more)


# Case numbers and titles of packs may hold brackets and asterisks.
def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)
