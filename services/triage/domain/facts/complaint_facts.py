"""The facts that a complaint's words show, with the words as they came."""

from collections.abc import Callable
from functools import cache
from typing import Literal

from services.triage.domain.facts.fact_reader import ReadFact, read_facts
from services.triage.domain.facts.original_words import OriginalText
from services.triage.domain.reading.reading_copy import ReadingCopy, read_text, traditional_to_simplified
from shared.contracts.complaint import Complaint
from shared.contracts.events.found_fact import FoundFact

_FIELDS: tuple[Literal["text", "title"], ...] = ("text", "title")


def complaint_facts(complaint: Complaint, reading: ReadingCopy) -> dict[str, FoundFact]:
    """The facts by name, read once for a reading copy; those that a person entered are left out: the entry outranks."""
    if reading.found_facts is None:
        reading.found_facts = _read(complaint, reading)
    return reading.found_facts


def explained_facts(text: str, title: str = "") -> list[FoundFact]:
    """The facts that a text shows, without a complaint around it."""
    found: dict[str, FoundFact] = {}
    for field, source in zip(_FIELDS, (text, title), strict=True):
        for fact in _found_in(field, source):
            found.setdefault(fact.name, fact)
    return list(found.values())


def _read(complaint: Complaint, reading: ReadingCopy) -> dict[str, FoundFact]:
    entered = set(complaint.facts)
    entered |= {name for name in ("place", "object") if getattr(complaint, name)}
    if complaint.complainant.identity:
        entered.add("identity")
    found: dict[str, FoundFact] = {}
    for field in _FIELDS:
        source = getattr(complaint, field) or ""
        for fact in _found_in(field, source, reading.field(field)) if source else ():
            if fact.name not in entered:
                found.setdefault(fact.name, fact)
    return found


def _found_in(field: Literal["text", "title"], source: str, reading: str | None = None) -> list[FoundFact]:
    read = read_text(source) if reading is None else reading
    facts = read_facts(read)
    if not facts:
        return []
    # Aligned once for all facts, and only where the words of one cannot be found as they are.
    align = cache(lambda: OriginalText(source, read, traditional_to_simplified()))
    return [
        _with_original_words(fact, field, source, fact.span if read == source else _original_span(fact, read, source, align))
        for fact in facts
    ]


def _with_original_words(fact: ReadFact, field: Literal["text", "title"], source: str, span: tuple[int, int] | None) -> FoundFact:
    words = fact.words if span is None else source[slice(*span)]
    start, end = span or (None, None)
    return FoundFact(name=fact.name, value=fact.value, words=words[:200], field=field, start=start, end=end, note=fact.note)


def _original_span(fact: ReadFact, read: str, source: str, align: Callable[[], OriginalText]) -> tuple[int, int] | None:
    if len(fact.words) == fact.span[1] - fact.span[0]:
        places, in_source = _places(read, fact.words), _places(source, fact.words)
        # Words that stand as often in both stand there in the same order; aligning the texts costs as much as all other steps.
        if len(places) == len(in_source):
            start = in_source[places.index(fact.span[0])]
            return start, start + len(fact.words)
    return align().span(*fact.span)


def _places(text: str, words: str) -> list[int]:
    places, at = [], text.find(words)
    while at >= 0:
        places.append(at)
        at = text.find(words, at + 1)
    return places
