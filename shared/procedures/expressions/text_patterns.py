"""Text patterns of a procedure and the cues that take a hit's sense away: negation, past, hearsay, enquiry, condition."""

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field

from shared.contracts.base import StrictModel

CueKind = Literal["negation", "past", "hearsay", "enquiry", "conditional", "other_topic"]
CUE_KINDS: tuple[CueKind, ...] = ("negation", "past", "hearsay", "enquiry", "conditional")
TOPIC_CUES: tuple[CueKind, ...] = ("other_topic",)
"""The cues of topic patterns: 没有工资 is about pay, 不是工资的问题 is not."""
PatternField = Literal["title", "text", "demand", "object", "place", "product", "identity"]


class CueEntry(StrictModel):
    """Expressions beside a hit that take its sense away, such as a negation before it."""

    before: list[str] = Field(default_factory=list, description="expressions before the hit")
    after: list[str] = Field(default_factory=list, description="expressions after the hit")
    scope: Literal["clause", "sentence", "passage"] = Field(
        default="clause", description="how far from the hit they count; a passage is the sentence and the one after it"
    )
    reach: int = Field(default=100, ge=0, le=100, description="most characters between expression and hit; a Latin word is one")
    lookalikes: list[str] = Field(
        default_factory=list, description="expressions that contain one of `before`, `after` or `unless` and do not count"
    )
    ends: list[str] = Field(default_factory=list, description="expressions between cue and hit that end the cue's effect")
    unless: list[str] = Field(default_factory=list, description="expressions that keep the sense of the hit")
    unless_in: Literal["clause", "sentence", "text"] = Field(default="sentence", description="where `unless` is searched")
    counts_twice: bool = Field(default=False, description="whether two of these expressions cancel each other, as two negations do")
    inside: bool = Field(default=False, description="whether the expressions count between the words of a hit too")


class TextPattern(StrictModel):
    """Expressions that show a fact in the words of a complaint; conditions read it as `says.<name>`.

    It is searched in the reading copy: simplified characters, half-width signs, digits for numerals, no white space inside Chinese.
    """

    zh: str = ""
    en: str = ""
    library: str = Field(
        default="",
        description="fact of the shared library (shared/procedures/fact_library) whose expressions are added to these, such as danger",
    )
    words: list[str] = Field(default_factory=list, description="expressions, as they are written")
    matches: list[str] = Field(default_factory=list, description="patterns in RE2 syntax")
    lookalikes: list[str] = Field(default_factory=list, description="expressions that contain one of these and do not count")
    exceptions: list[str] = Field(
        default_factory=list, description="patterns in RE2 syntax; a hit that overlaps one of their matches does not count"
    )
    fields: list[PatternField] = Field(
        default=["title", "text"],
        min_length=1,
        description="the fields that are searched; identity is the complainant's and the fact of that name",
    )
    topic: bool = Field(
        default=False,
        description="whether it shows what the matter is about, which only cues of the kind other_topic take away (没有工资: pay)",
    )
    cues: list[CueKind] = Field(default=list(CUE_KINDS), description="the kinds of cues that take a hit's sense away; none: []")


class CueFile(StrictModel):
    """The cues of every procedure, and patterns that every procedure may use."""

    cues: dict[CueKind, list[CueEntry]]
    patterns: dict[str, TextPattern]


@cache
def common_cues() -> CueFile:
    """The cues and patterns that apply unless a procedure adds its own."""
    text = files(__package__).joinpath("cues.yaml").read_text(encoding="utf-8")
    return CueFile.model_validate(yaml.safe_load(text))
