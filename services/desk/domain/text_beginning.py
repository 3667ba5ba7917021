"""The beginning of a text, on one line of a list."""

from typing import Final

LONGEST: Final = 48
"""Characters: two lines of the column of titles on a narrow screen."""


def text_beginning(text: str) -> str:
    """The text without line breaks, cut with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
