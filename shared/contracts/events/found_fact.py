"""A fact that triage read in the words of a complaint."""

from typing import Literal

from pydantic import Field

from shared.contracts.base import ShortText, WireModel


class FoundFact(WireModel):
    """A fact of the shared library, its value, and the words that show it, as they came.

    `start` and `end` are the span of the words in the field, None where the text was too different from its reading copy to tell.
    """

    name: ShortText
    value: bool | int | ShortText
    words: ShortText = ""
    field: Literal["text", "title"] = "text"
    start: int | None = None
    end: int | None = None
    note: ShortText = Field(default="", description="what the value leaves open: `at least` for a lowest number")
