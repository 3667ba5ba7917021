"""Searches a text for a pattern and leaves out the hits that the words around them deny, ask about or put in the past."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import re2

from shared.procedures.expressions.needed_literals import PATTERNS_KEPT
from shared.procedures.expressions.pattern_filter import cached_filter
from shared.procedures.expressions.text_patterns import TOPIC_CUES, CueEntry, CueKind, PatternField, TextPattern, common_cues
from shared.procedures.fact_library.library import with_library

# Bounds for a text of 20,000 characters that consists of hits and cues only: 100 hits, 120 characters around each.
_MAX_HITS = 100
_WINDOW = 120
_MAX_WORDS = 40
_SENTENCE_END = re.compile(r"[。!?！？;；\n]|\.(?=\s|$)")
_CLAUSE_END = re.compile(r"[,，:：。!?！？;；\n…]|\.(?=\s|$)|但是?|可是|不过|然而|\bbut\b")
_LATIN_WORD = re.compile(r"[A-Za-z0-9']+ ?")


@dataclass(frozen=True, slots=True)
class Hit:
    """The words of a hit, and the cue that takes its sense away; `cue` is empty for a hit that counts."""

    words: str
    cue_kind: str = ""
    cue: str = ""
    span: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class _Cue:
    """A compiled cue entry."""

    kind: CueKind
    entry: CueEntry
    before: Callable[[str], list[tuple[int, int]]]
    after: Callable[[str], list[tuple[int, int]]]
    ends: Callable[[str], list[tuple[int, int]]]
    unless: Callable[[str], list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """A hit at `start` to `end` of a text with the bounds of its clause and sentence, and of the sentence after."""

    text: str
    start: int
    end: int
    clause: tuple[int, int]
    sentence: tuple[int, int]
    next_end: int

    def before(self, scope: str) -> str:
        """The text before the hit within a scope."""
        return self.text[(self.clause if scope == "clause" else self.sentence)[0] : self.start]

    def after(self, scope: str) -> str:
        """The text after the hit within a scope."""
        end = {"clause": self.clause[1], "sentence": self.sentence[1]}.get(scope, self.next_end)
        return self.text[self.end : end]

    def around(self, scope: str) -> str:
        """The text around the hit within a scope."""
        if scope == "text":
            return self.text
        start, end = self.clause if scope == "clause" else self.sentence
        return self.text[start:end]


class SensePattern:
    """A compiled pattern; `fields` are the fields of the complaint that it is searched in."""

    def __init__(self, pattern: TextPattern, cues: Sequence[_Cue]) -> None:
        self.fields: tuple[PatternField, ...] = tuple(pattern.fields)
        parts = [_literal(word) for word in pattern.words] + [f"(?:{expression})" for expression in pattern.matches]
        words = parts[: len(pattern.words)]
        # The words as two, because there are many: those of Latin letters need borders and any case. And each of the patterns.
        by_script = ("|".join(w for w in words if not w.startswith("(")), "|".join(w for w in words if w.startswith("(")))
        self.sources = [source for source in (*by_script, *parts[len(pattern.words) :]) if source]
        try:
            self._search = _compile("|".join(parts))
            self._expressions = [(source, _compile(part)) for source, part in zip([*pattern.words, *pattern.matches], parts, strict=True)]
            # Most hits have no exception, and one search for all of them made new states of RE2 for each text: 100 µs a hit.
            self._exceptions = cached_filter(tuple(pattern.exceptions))
        except re2.error as error:
            raise ValueError(f"the pattern is not valid: {error}; write matches in RE2 syntax") from error
        self._lookalikes = _finder(tuple(pattern.lookalikes), ())
        self._cues = cues
        self._any_before = _finder(tuple(sorted({e for cue in cues for e in cue.entry.before})), ())
        self._any_after = _finder(tuple(sorted({e for cue in cues for e in cue.entry.after})), ())

    def hits(self, text: str, windows: Iterable[tuple[int, int]] | None = None) -> list[Hit]:
        """The hits in a text in order, up to the first that counts, so that a hit counts if the last one does.

        `windows` are parts of the text, in order, of which it is known that every match of an expression lies within one; else all of it.
        """
        hits: list[Hit] = []
        for hit in self.all_hits(text, windows):
            hits.append(hit)
            if not hit.cue_kind:
                break
        return hits

    def all_hits(self, text: str, windows: Iterable[tuple[int, int]] | None = None) -> Iterator[Hit]:
        """Every hit in a text in order, without those that look-alikes and exceptions contain; see `hits` for `windows`."""
        spans = self.spans(text, windows)
        for index in range(len(spans)):
            hit = self.judge(text, spans, index)
            if hit is not None:
                yield hit

    def spans(self, text: str, windows: Iterable[tuple[int, int]] | None = None) -> list[tuple[int, int]]:
        """The places of the expressions, without regard to cues; see `hits` for `windows`."""
        spans = list(islice(self._matches(text, windows), _MAX_HITS))
        for low, high in self._lookalikes(text) if spans else ():
            spans = [(start, end) for start, end in spans if not low <= start <= end <= high]
        return spans

    def _matches(self, text: str, windows: Iterable[tuple[int, int]] | None) -> Iterator[tuple[int, int]]:
        if windows is None:
            # A search first: for the many texts without a match it costs less than an iterator.
            if self._search.search(text) is not None:
                yield from (match.span() for match in self._search.finditer(text))
            return
        for low, high in windows:
            for match in self._search.finditer(text[low:high]):
                start, end = match.span()
                yield low + start, low + end

    def judge(self, text: str, spans: Sequence[tuple[int, int]], index: int) -> Hit | None:
        """One of the hits of `spans` with its cue; None if an exception contains it."""
        start, end = spans[index]
        if self._is_exception(text, start, end):
            return None
        if not self._cues:
            return Hit(text[start:end][:_MAX_WORDS], span=(start, end))
        following = spans[index + 1][0] if index + 1 < len(spans) else len(text)
        return self._judged(_surroundings(text, start, end), following)

    def _is_exception(self, text: str, start: int, end: int) -> bool:
        # Only the text around the hit is searched, so that a text of hits costs no more than 100 times a window.
        low = max(0, start - _WINDOW)
        hit_start, hit_end = start - low, end - low
        return any(first < hit_end and hit_start < last for first, last in self._exceptions.matches(text[low : end + _WINDOW]))

    def _judged(self, place: _Surroundings, next_hit: int) -> Hit:
        words = place.text[place.start : place.end][:_MAX_WORDS]
        has_before = self._any_before(place.text[place.sentence[0] : place.end])
        has_after = self._any_after(place.after("passage"))
        for cue in self._cues if has_before or has_after else ():
            expression = (self._cue_before(cue, place) if has_before else "") or (
                self._cue_after(cue, place, next_hit) if has_after else ""
            )
            if expression and not cue.unless(place.around(cue.entry.unless_in)):
                return Hit(words, cue.kind, expression, (place.start, place.end))
        return Hit(words, span=(place.start, place.end))

    def _cue_before(self, cue: _Cue, place: _Surroundings) -> str:
        """The cue before the hit or between its words that concerns it; empty if there is none."""
        region = place.before(cue.entry.scope)
        found = [(start, end) for start, end in cue.before(region) if _distance(region[end:]) <= cue.entry.reach]
        found = [span for span in found if not cue.ends(region[span[1] :])]
        expressions = [region[start:end] for start, end in found]
        if cue.entry.inside:
            inside = place.text[place.start : place.end]
            expressions += [inside[start:end] for start, end in cue.before(inside) if not self._contains(inside[start:end], inside)]
        if not expressions or (cue.entry.counts_twice and len(expressions) % 2 == 0):
            return ""
        return expressions[-1]

    def _contains(self, cue: str, words: str) -> bool:
        """Whether the cue is a part of the expression that found these words: 不准 of a meter is no negation."""
        folded = cue.casefold()
        return any(folded in source.casefold() and search.fullmatch(words) is not None for source, search in self._expressions)

    @staticmethod
    def _cue_after(cue: _Cue, place: _Surroundings, next_hit: int) -> str:
        """The cue after the hit that concerns it; one in a later clause than the next hit concerns that one."""
        region = place.after(cue.entry.scope)
        for start, end in cue.after(region):
            between = region[:start]
            is_of_next_hit = place.clause[1] <= next_hit < place.end + start and cue.entry.scope != "clause"
            if _distance(between) <= cue.entry.reach and not is_of_next_hit and not cue.ends(between):
                return region[start:end]
        return ""


def compile_patterns(patterns: Mapping[str, TextPattern], added_cues: Mapping[CueKind, Sequence[CueEntry]]) -> dict[str, SensePattern]:
    """The patterns of a procedure and the common ones, compiled; raises `ValueError` that names a pattern that is not valid."""
    common = common_cues()
    compiled: dict[str, SensePattern] = {}
    for name, declared in {**common.patterns, **patterns}.items():
        pattern = with_library(declared)
        kinds = TOPIC_CUES if pattern.topic else pattern.cues
        cues = [_compile_cue(kind, entry) for kind in kinds for entry in (*common.cues.get(kind, ()), *added_cues.get(kind, ()))]
        try:
            compiled[name] = SensePattern(pattern, cues)
        except ValueError as error:
            raise ValueError(f"patterns.{name}: {error}") from error
    return compiled


def _compile_cue(kind: CueKind, entry: CueEntry) -> _Cue:
    return _Cue(
        kind,
        entry,
        _finder(tuple(entry.before), tuple(entry.lookalikes)),
        _finder(tuple(entry.after), tuple(entry.lookalikes)),
        _finder(tuple(entry.ends), ()),
        _finder(tuple(entry.unless), tuple(entry.lookalikes)),
    )


@lru_cache(maxsize=PATTERNS_KEPT)
def _compile(expression: str) -> Any:
    """The compiled expression; raises `re2.error`. Versions of a procedure share most of theirs, and hundreds take milliseconds."""
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False  # RE2 would print to stderr what the caller raises
    return re2.compile(expression, options)


@lru_cache(maxsize=1024)
def _finder(expressions: tuple[str, ...], lookalikes: tuple[str, ...]) -> Callable[[str], list[tuple[int, int]]]:
    """A function that lists where one of the expressions is in a text, the longest first, without their look-alikes."""
    if not expressions:
        return lambda _: []
    # Look-alikes are found in the same pass, so that of two expressions that overlap the first one wins, and then the longer one.
    masked = frozenset(expression.casefold() for expression in lookalikes)
    ordered = sorted({*expressions, *lookalikes}, key=len, reverse=True)
    # RE2 takes a step a character; re tries each of some hundred literals at each character, half of triage's time on a complaint.
    options = re2.Options()
    options.never_capture, options.case_sensitive = True, False
    search = re2.compile("|".join(_literal(expression) for expression in ordered), options)

    def find(text: str) -> list[tuple[int, int]]:
        spans = [match.span() for match in search.finditer(text)]
        return [(start, end) for start, end in spans if text[start:end].casefold() not in masked] if masked else spans

    return find


def _literal(expression: str) -> str:
    """The regular expression for a literal: Latin words as whole words, in any case."""
    escaped = re.escape(expression)
    if not expression.isascii():
        return escaped
    start = r"\b" if expression[0].isalnum() else ""
    end = r"\b" if expression[-1].isalnum() else ""
    return f"(?i:{start}{escaped}{end})"


def _distance(between: str) -> int:
    return len(_LATIN_WORD.sub("x", between.strip()))


def _surroundings(text: str, start: int, end: int) -> _Surroundings:
    low, high = max(0, start - _WINDOW), min(len(text), end + _WINDOW)
    before, after = text[low:start], text[end:high]
    clause = (low + _last_end(_CLAUSE_END.finditer(before)), end + _first_start(_CLAUSE_END, after))
    sentence_end = _first_start(_SENTENCE_END, after)
    next_end = sentence_end + 1 + _first_start(_SENTENCE_END, after[sentence_end + 1 :])
    return _Surroundings(
        text, start, end, clause, (low + _last_end(_SENTENCE_END.finditer(before)), end + sentence_end), min(high, end + next_end)
    )


def _last_end(matches: Iterable[re.Match[str]]) -> int:
    end = 0
    for match in matches:
        end = match.end()
    return end


def _first_start(search: re.Pattern[str], text: str) -> int:
    match = search.search(text)
    return len(text) if match is None else match.start()
