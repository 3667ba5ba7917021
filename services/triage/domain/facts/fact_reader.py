"""Reads the facts of the library in a complaint's reading copy; each with its value and the words that show it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import re2

from services.triage.domain.facts.values import choose_amount, normal_place, read_amounts, read_identity, read_persons
from services.triage.domain.reading.reading_copy import read_text
from shared.procedures.expressions.sense import Hit, SensePattern, compile_patterns
from shared.procedures.fact_library.library import LibraryFact, fact_library

FactValue = bool | int | str
_DEFECT = re.compile(
    r"坏|漏|停|裂|掉|脱落|松|堵|臭|脏|吵|响|慢|断|差|贵|高|涨|乱|黑|不|没|无|未|破|锈|烂|渗|鼓|霉|翘|卡|死|闪|丢|少|多|扣|拖|晃|冷|热|错|超|占|缺|翻|变形|异常|故障|失灵|问题|投诉|"
    r"broken|leak|not|n't|no\b|slow|dirty|noisy|wrong|missing|crack|loose|fail|late|rude|cold|dead|stuck|down|off|out|blocked|smell|short|unpaid|overcharg",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,，。!?！？;；\n]")
_DISTANCE = 12


@dataclass(frozen=True, slots=True)
class ReadFact:
    """A fact that words show; `words` and `span` are of the reading copy, `note` says what the value leaves open."""

    name: str
    value: FactValue
    words: str
    span: tuple[int, int]
    note: str = ""


class FactReader:
    """The compiled patterns of one fact."""

    def __init__(self, name: str, fact: LibraryFact, pattern: SensePattern) -> None:
        self.name = name
        self._fact = fact
        self._pattern = pattern
        self._void = re2.compile("|".join(f"(?:{e})" for e in fact.void)) if fact.void else None

    def read(self, text: str) -> ReadFact | None:
        """The fact, None if the text does not show it."""
        hits = [hit for hit in self._pattern.all_hits(text) if not hit.cue_kind]
        if not hits or self._is_void(text):
            return None
        match self._fact.value:
            case "true":
                return self._found(hits[0], value=True)
            case "object":
                best = max(hits, key=lambda hit: _object_rank(text, hit))
                return self._found(best, best.words)
            case "amount":
                return self._read_amount(hits)
        return next((found for hit in hits if (found := self._read_value(hit)) is not None), None)

    def _is_void(self, text: str) -> bool:
        if self._void is None or self._void.search(text) is None:
            return False
        return not any(expression in text for expression in self._fact.void_unless)

    def _read_amount(self, hits: list[Hit]) -> ReadFact | None:
        amounts = [amount for hit in hits for amount in read_amounts(hit.words)]
        value = choose_amount(amounts)
        return None if value is None else self._found(hits[0], value)

    def _read_value(self, hit: Hit) -> ReadFact | None:
        match self._fact.value:
            case "persons":
                number = read_persons(hit.words)
                if number is not None:
                    return self._found(hit, number[0], "at least" if number[1] else "")
            case "identity":
                identity = read_identity(hit.words, fact_library().identities)
                if identity is not None:
                    return self._found(hit, identity)
            case "place":
                return self._found(hit, normal_place(hit.words) or hit.words)
        return None

    def _found(self, hit: Hit, value: FactValue, note: str = "") -> ReadFact:
        return ReadFact(self.name, value, hit.words, hit.span, note)


def read_facts(reading: str) -> list[ReadFact]:
    """The facts that a reading copy shows, in the order of the library."""
    return [found for reader in _readers() if (found := reader.read(reading)) is not None]


@cache
def _readers() -> tuple[FactReader, ...]:
    return tuple(_compiled())


def _compiled() -> Iterator[FactReader]:
    facts = fact_library().facts
    patterns = compile_patterns({name: _in_reading_form(fact) for name, fact in facts.items()}, {})
    for name, fact in facts.items():
        yield FactReader(name, fact, patterns[name])


def _in_reading_form(fact: LibraryFact) -> LibraryFact:
    return fact.model_copy(update={"words": [read_text(word) for word in fact.words]})


def _object_rank(text: str, hit: Hit) -> tuple[bool, int]:
    """Of several things the one beside a defect is complained about, then the first."""
    after = _CLAUSE.split(text[hit.span[1] : hit.span[1] + _DISTANCE], maxsplit=1)[0]
    return _DEFECT.search(after) is not None, -hit.span[0]
