"""Scores the facts that were read from sentences against their labels, as the labelling guide has it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import opencc
import yaml

from services.triage.domain.facts.fact_reader import read_facts
from services.triage.domain.reading.reading_copy import read_text

FACTS = (
    "persons",
    "danger",
    "media",
    "lawyer_letter",
    "claim_amount",
    "facility_failure",
    "identity",
    "staff_conduct",
    "repetition",
    "place",
    "object",
    "injury",
)
_MEDIA_PEOPLE = {"媒体": "记者"}


class Sentence(NamedTuple):
    """A sentence and the facts that were judged: a fact that is absent from `facts` is not scored."""

    id: str
    lang: str
    text: str
    facts: dict[str, Any]
    positive: bool


@dataclass
class Counts:
    """How often a fact was found rightly, found wrongly and missed; `wrong` lists the sentences."""

    right: int = 0
    false: int = 0
    missed: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """The share of findings that are right; 1 without a finding."""
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self) -> float:
        """The share of labels that were found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def read_sentences(path: Path) -> list[Sentence]:
    """The sentences of a file."""
    rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return [Sentence(row["id"], row["lang"], row["text"], row["facts"], row.get("note", "").startswith("positive")) for row in rows]


def score(sentences: Iterable[Sentence], found: Mapping[str, Mapping[str, Any]]) -> dict[str, Counts]:
    """The counts of each fact over sentences, with what was found by sentence id; a wrong value counts as false and as missed."""
    counts = {name: Counts() for name in FACTS}
    for sentence in sentences:
        for name, label in sentence.facts.items():
            _count(counts[name], sentence, name, label, found[sentence.id].get(name))
    return counts


def total(counts: Mapping[str, Counts]) -> Counts:
    """The sum over all facts."""
    return Counts(*(sum(getattr(count, name) for count in counts.values()) for name in ("right", "false", "missed")))


def _count(count: Counts, sentence: Sentence, name: str, label: Any, value: Any) -> None:
    is_labelled, is_found = label not in (None, False), value not in (None, False, "")
    if name == "persons" and not label and value == 1:
        is_found = False  # the guide: a lone writer is null, 1 is accepted
    is_right = is_labelled and is_found and _agrees(name, label, value)
    count.right += is_right
    count.false += is_found and not is_right
    count.missed += is_labelled and not is_right
    if not is_right and (is_labelled or is_found):
        count.wrong.append(f"{sentence.id} label {label!r} found {value!r}: {sentence.text!r}")


def _agrees(name: str, label: Any, value: Any) -> bool:
    if name == "persons":
        low, high = label if isinstance(label, list) else (label, label)
        value_low, value_high = value if isinstance(value, tuple) else (value, value)
        return bool(value_low <= high and low <= value_high)
    if name == "identity":
        return bool(_MEDIA_PEOPLE.get(label, label) == _MEDIA_PEOPLE.get(value, value))
    if name == "place":
        return normal_form(str(label)) == normal_form(str(value))
    if name == "object":
        expected, actual = normal_form(str(label)), normal_form(str(value))
        return expected in actual or actual in expected
    return bool(label == value)


def normal_form(text: str) -> str:
    """The text without width, blanks, punctuation, traditional characters and Chinese digits."""
    simplified = _simplifier().convert(unicodedata.normalize("NFKC", text).casefold())
    simplified = re.sub(r"[\W_]", "", simplified)
    return re.sub("[〇零一二两三四五六七八九十百]+", _number, simplified)


def _number(match: re.Match[str]) -> str:
    text, value, digit = match[0].replace("两", "二").replace("〇", "零"), 0, 0
    digits = "零一二三四五六七八九"
    if not re.search("[十百]", text):
        return "".join(str(digits.index(character)) for character in text)
    for character in text:
        if character in digits:
            digit = digits.index(character)
        else:
            value += (digit or 1) * {"十": 10, "百": 100}[character]
            digit = 0
    return str(value + digit)


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def read_own(path: Path) -> list[Sentence]:
    """The sentences of the library's author, each labelled for one fact."""
    table = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return [
        _own_sentence(f"{name}-{column}-{index}", name, row, positive=column == "shows")
        for name, columns in table.items()
        for column, rows in columns.items()
        for index, row in enumerate(rows)
    ]


def _own_sentence(sentence_id: str, name: str, row: str, *, positive: bool) -> Sentence:
    value, separator, text = row.partition(" | ")
    label: Any = positive
    if positive and separator:
        label = int(value) if name in ("persons", "claim_amount") else value
    return Sentence(sentence_id, "en" if row.isascii() else "zh", text if positive and separator else row, {name: label}, positive)


def found_in(sentences: Iterable[Sentence]) -> dict[str, dict[str, Any]]:
    """What the library reads in the sentences, by sentence id; places as they are written, which is how they are labelled."""
    return {
        sentence.id: {fact.name: fact.words if fact.name == "place" else fact.value for fact in read_facts(read_text(sentence.text))}
        for sentence in sentences
    }
