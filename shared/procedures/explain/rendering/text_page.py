"""Renders an explanation as plain text."""

from collections.abc import Iterator

from shared.procedures.explain.page import ExplanationPage, PageSection


def render_text(page: ExplanationPage) -> str:
    """The page as text, with a blank line between sections."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: ExplanationPage) -> Iterator[str]:
    yield page.title
    yield "=" * 2 * len(page.title)  # a Chinese character is two columns wide
    yield from page.intro
    for section in page.clause_sections:
        yield ""
        yield f"{section.heading}  {section.clause_text}"
        yield from _entry_lines(section)
    for section in page.appendices:
        yield ""
        yield section.heading
        yield "-" * 2 * len(section.heading)
        yield from _entry_lines(section)


def _entry_lines(section: PageSection) -> Iterator[str]:
    for entry in section.entries:
        first, *more = entry.lines
        yield f"  • {first}"
        yield from (f"    {line}" for line in more)
