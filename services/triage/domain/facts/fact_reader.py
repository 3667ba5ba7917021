"""Reads the facts of the library in a complaint's reading copy; each with its value and the words that show it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice

import re2

from services.triage.domain.facts.values import choose_amount, normal_place, read_amounts, read_identity, read_persons
from services.triage.domain.reading.reading_copy import read_text
from shared.procedures.expressions.pattern_filter import PatternFilter, Span
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
_JOINTS = frozenset({"", "的", " ", "里的", "上的", "门口的", "口的"})
_MAX_HITS = 100


@dataclass(frozen=True, slots=True)
class ReadFact:
    """A fact that words show; `words` and `span` are of the reading copy, `note` states what the value leaves open."""

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
        self.pattern = pattern
        self._attributes = frozenset(fact.attributes)
        self._needs = re2.compile(fact.needs) if fact.needs else None
        self.void = tuple(fact.void)

    def read(self, text: str, matches: Iterable[Span], void_matches: Iterable[Span]) -> ReadFact | None:
        """The fact, None if the text does not show it; `matches` are those of all its expressions, `void_matches` those of `void`."""
        spans = _without_overlaps(matches)
        if not spans or self._is_void(text, void_matches):
            return None
        # Hits are judged one by one: mostly the first one counts.
        judged = (self.pattern.judge(text, spans, index) for index in self._order(text, spans))
        hits = (hit for hit in judged if hit is not None and not hit.cue_kind)
        if self._fact.value == "amount":
            return self._read_amount(list(hits))
        return next((found for hit in hits if (found := self._read_value(hit)) is not None), None)

    def _order(self, text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
        """The hits in the order in which they are tried."""
        order = list(range(len(spans)))
        if self._fact.value == "object":
            order.sort(key=lambda index: _object_rank(text, spans, index, self._attributes))
        elif self._fact.value == "place":
            # 不是5号楼,是6号楼: 6号楼1单元 has the longest words and names the most.
            order.sort(key=lambda index: _place_rank(text[slice(*spans[index])]))
        return order

    def _is_void(self, text: str, void_matches: Iterable[Span]) -> bool:
        if self._needs is not None and self._needs.search(text) is None:
            return True
        if next(iter(void_matches), None) is None:
            return False
        return not any(expression in text for expression in self._fact.void_unless)

    def _read_amount(self, hits: list[Hit]) -> ReadFact | None:
        if not hits:
            return None
        amounts = [amount for hit in hits for amount in read_amounts(hit.words)]
        value = choose_amount(amounts)
        return None if value is None else self._found(hits[0], value)

    def _read_value(self, hit: Hit) -> ReadFact | None:
        match self._fact.value:
            case "true":
                return self._found(hit, value=True)
            case "object":
                return self._found(hit, hit.words)
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


def load_library() -> None:
    """Compile the library: half a second that the first complaint would wait for."""
    _compiled_library()


def read_facts(reading: str) -> list[ReadFact]:
    """The facts that a reading copy shows, in the order of the library."""
    library = _compiled_library()
    found: dict[int, list[Span]] = {}
    void: dict[int, list[Iterator[Span]]] = {}
    for number, windows in library.filter.windows(reading).items():
        owner, is_void = library.owners[number]
        matches = library.filter.spans(reading, number, windows)
        if is_void:
            void.setdefault(owner, []).append(matches)
        elif spans := list(islice(matches, _MAX_HITS)):
            found.setdefault(owner, []).extend(spans)
    facts = (library.readers[owner].read(reading, spans, chain(*void.get(owner, ()))) for owner, spans in sorted(found.items()))
    return [fact for fact in facts if fact is not None]


@dataclass(frozen=True, slots=True)
class _CompiledLibrary:
    """The readers, for each expression the index of its reader and whether it makes the fact void, and the filter that searches them."""

    readers: tuple[FactReader, ...]
    owners: tuple[tuple[int, bool], ...]
    filter: PatternFilter


@cache
def _compiled_library() -> _CompiledLibrary:
    readers = tuple(_compiled())
    sources = [((index, False), source) for index, reader in enumerate(readers) for source in reader.pattern.sources]
    # Searched by the same pass: few texts hold the thanks and questions that make a fact void.
    sources += [((index, True), source) for index, reader in enumerate(readers) for source in reader.void]
    return _CompiledLibrary(readers, tuple(owner for owner, _ in sources), PatternFilter([source for _, source in sources]))


def _without_overlaps(found: Iterable[Span]) -> list[Span]:
    """The hits in order, of two that overlap the one that begins first, then the longer."""
    spans: list[Span] = []
    for span in sorted(found, key=lambda span: (span[0], -span[1])):
        if len(spans) == _MAX_HITS:
            break
        if not spans or span[0] >= spans[-1][1]:
            spans.append(span)
    return spans


def _compiled() -> Iterator[FactReader]:
    facts = fact_library().facts
    patterns = compile_patterns({name: _in_reading_form(fact) for name, fact in facts.items()}, {})
    for name, fact in facts.items():
        yield FactReader(name, fact, patterns[name])


def _in_reading_form(fact: LibraryFact) -> LibraryFact:
    return fact.model_copy(update={"words": [read_text(word) for word in fact.words]})


def _object_rank(text: str, spans: Sequence[tuple[int, int]], index: int, attributes: frozenset[str]) -> tuple[bool, bool, bool, int]:
    """Of several things the one beside a defect is complained about, of 卫生间的地漏 the last, then the first."""
    start, end = spans[index]
    after = _CLAUSE.split(text[end : end + _DISTANCE], maxsplit=1)[0]
    following = text[slice(*spans[index + 1])] if index + 1 < len(spans) else ""
    is_part_of_next = bool(following) and following not in attributes and text[end : spans[index + 1][0]] in _JOINTS
    return text[start:end] in attributes, is_part_of_next, _DEFECT.search(after) is None, start


def _place_rank(words: str) -> tuple[bool, int]:
    return "单元" not in normal_place(words), -len(words)
