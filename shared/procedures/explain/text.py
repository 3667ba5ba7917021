"""The page as plain text."""

from collections.abc import Iterator

from shared.procedures.explain.page import Page, Part


def text(page: Page) -> str:
    """The page as text, a blank line between its parts."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield page.title
    yield "=" * 2 * len(page.title)
    yield from page.intro
    for part in page.clauses:
        yield ""
        yield f"{part.heading}  {part.words}"
        yield from _entries(part)
    for part in page.further:
        yield ""
        yield part.heading
        yield "-" * 2 * len(part.heading)
        yield from _entries(part)


def _entries(part: Part) -> Iterator[str]:
    for entry in part.entries:
        for place, line in enumerate(entry):
            yield f"  {'•' if place == 0 else ' '} {line}"
