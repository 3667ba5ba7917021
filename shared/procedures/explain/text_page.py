"""The page as plain text."""

from collections.abc import Iterator

from shared.procedures.explain.page import ExplanationPage, PageSection


def render_text(page: ExplanationPage) -> str:
    """The page as text, a blank line between its parts."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: ExplanationPage) -> Iterator[str]:
    yield page.title
    yield "=" * 2 * len(page.title)
    yield from page.intro
    for part in page.clause_sections:
        yield ""
        yield f"{part.heading}  {part.clause_text}"
        yield from _entry_lines(part)
    for part in page.appendices:
        yield ""
        yield part.heading
        yield "-" * 2 * len(part.heading)
        yield from _entry_lines(part)


def _entry_lines(part: PageSection) -> Iterator[str]:
    for entry in part.entries:
        for place, line in enumerate(entry):
            yield f"  {'•' if place == 0 else ' '} {line}"
