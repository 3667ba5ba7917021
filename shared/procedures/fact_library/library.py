"""Loads the library of facts: its patterns with the groups of expressions that they name."""

import re
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import Field

from shared.contracts.base import StrictModel
from shared.procedures.expressions.text_patterns import TextPattern

ValueKind = Literal["true", "persons", "amount", "identity", "place", "object"]
_GROUP = re.compile(r"<([a-z_]+)>")


class LibraryFact(TextPattern):
    """A fact of the library: the patterns that show it, and how its value is read from their words."""

    value: ValueKind = Field(default="true", description="how the words are read")
    needs: str = Field(default="", description="pattern in RE2 syntax without which the text does not show the fact")
    attributes: list[str] = Field(default_factory=list, description="words of `matches` that count only where no other word does")
    void: list[str] = Field(default_factory=list, description="patterns in RE2 syntax; where one matches, the text does not show the fact")
    void_unless: list[str] = Field(default_factory=list, description="expressions beside which `void` has no effect")


class FactLibrary(StrictModel):
    """All facts of the library by name, and the expressions for each identity."""

    facts: dict[str, LibraryFact]
    identities: dict[str, list[str]]


@cache
def fact_library() -> FactLibrary:
    """The library; parsed once in a process."""
    groups = _read("terms.yaml")
    identities: dict[str, list[str]] = groups["identities"]
    parts = {name: f"(?:{_joined(text)})" for name, text in groups["terms"].items()} | groups["parts"]
    parts["identity"] = f"(?i:{'|'.join(expression for expressions in identities.values() for expression in expressions)})"
    facts = {**_read("facts.yaml")["facts"], **_read("values.yaml")["facts"]}
    return FactLibrary(
        facts={name: LibraryFact.model_validate(_expanded(fact, parts)) for name, fact in facts.items()}, identities=identities
    )


def with_library(pattern: TextPattern) -> TextPattern:
    """The pattern with the expressions of the library's fact that it imports; raises `ValueError` for an unknown one.

    Cues are the pattern's own if it lists some, else those of the library.
    """
    if not pattern.library:
        return pattern
    fact = fact_library().facts.get(pattern.library)
    if fact is None:
        raise ValueError(f"the library has no fact of that name; it has {', '.join(fact_library().facts)}")
    added = {name: [*getattr(pattern, name), *getattr(fact, name)] for name in ("words", "matches", "lookalikes", "exceptions")}
    cues = pattern.cues if "cues" in pattern.model_fields_set else fact.cues
    return pattern.model_copy(update={**added, "cues": cues, "library": ""})


def _read(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return document


def _joined(text: str) -> str:
    # The groups are folded over lines in the file.
    return re.sub(r"\s", "", text)


def _expanded(fact: dict[str, Any], parts: dict[str, str]) -> dict[str, Any]:
    lists = ("matches", "exceptions", "void")
    expanded = {key: [_GROUP.sub(lambda match: parts[match[1]], source) for source in fact[key]] for key in lists if key in fact}
    return fact | expanded | {"exceptions": [_within_a_clause(source) for source in expanded.get("exceptions", ())]}


def _within_a_clause(source: str) -> str:
    # What is denied in one clause may be said in the next: 没结果,律师函已寄出.
    return source.replace(".{", r"[^,。!?;\n]{")
