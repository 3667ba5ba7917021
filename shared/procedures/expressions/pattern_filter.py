"""Finds the parts of a text in which patterns may match, by the literals that they need."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2
from ahocorasick_rs import AhoCorasick, MatchKind

from shared.procedures.expressions.literal_anchors import WIDEST, Owner, Search, add_anchors, are_near, first_of
from shared.procedures.expressions.needed_literals import PATTERNS_KEPT, CharacterGap, needed_literals

Span = tuple[int, int]
_GROUPED: Final = re.compile(r"\((?:\?:)?([^()]*|\([^()]*\))\)")
_SYNTAX: Final = re.compile(r"[\\.\[\](){}*+?^$]|^\||\|\||\|$")
_LONGEST_TRIED: Final = 2 * WIDEST
"""Characters up to which a match is tried at each place where it may begin: more could take quadratic time."""
_PADDING: Final = "\x00" * WIDEST
"""Stands before a text, so that no place near a literal lies before its beginning."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A compiled pattern; `literals` finds the matches of one that is plain words, in place of `search`.

    `begins` finds the literals of which each match begins with one; None where a match may begin with anything.
    """

    search: Any
    literals: AhoCorasick | None
    begins: Search | None


class PatternFilter:
    """Looks for the rarest literals of all patterns in one pass, and searches a pattern around those beside which the others may be.

    RE2's own filter keeps the set of all literals found so far in its states: a text of 400 characters made hundreds of new ones,
    0.7 ms. A pattern with `.{0,20}` makes a state for each place too, so that searching it in the whole text took up to 1.8 ms.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        owners: dict[str, list[Owner]] = {}
        self._patterns = [_compile(source) for source in sources]
        self._unfiltered = [number for number, source in enumerate(sources) if not add_anchors(source, number, owners)]
        self._owners = [tuple(of_literal) for of_literal in owners.values()]
        self._automaton = AhoCorasick(list(owners)) if owners else None

    @property
    def number(self) -> int:
        """The number of patterns."""
        return len(self._patterns)

    def spans(self, text: str, number: int, windows: Iterable[Span]) -> Iterator[Span]:
        """The matches of a pattern, which all are in its windows, in order."""
        pattern = self._patterns[number]
        for low, high in windows:
            part = text[low:high]
            for start, end in _matches(pattern, part):
                yield low + start, low + end

    def matches(self, text: str) -> Iterator[Span]:
        """The matches of all patterns."""
        for number, windows in self.windows(text).items():
            yield from self.spans(text, number, windows)

    def windows(self, text: str) -> dict[int, list[Span]]:
        """The patterns that may match, by number in order, with the parts of the text that hold their matches.

        A part begins and ends at least a character beside a match, so that a search there sees the same borders of words.
        """
        lower, length = text.lower(), len(text)
        found: dict[int, list[Span]] = {number: [(0, length)] for number in self._unfiltered}
        if self._automaton is None:
            return found
        literals = self._automaton.find_matches_as_indexes(lower, overlapping=True)
        if len(lower) != length:
            # A letter that has two in lower case moves all places behind it.
            anchored = {owner.pattern for literal, _, _ in literals for owner in self._owners[literal]}
            return {number: [(0, length)] for number in sorted(anchored | found.keys())}
        padded = _PADDING + lower
        for literal, place, _ in literals:
            anchor = place + WIDEST
            for pattern, low, high, beginnings, branches in self._owners[literal]:
                if beginnings and beginnings.isdisjoint(padded[anchor + low : anchor + high]):
                    continue
                for first, last, nearby in branches:
                    if not nearby or are_near(nearby, padded, anchor):
                        found.setdefault(pattern, []).append((max(0, place + first), min(length, place + last)))
        return {number: merged_windows(found[number]) for number in sorted(found)}


@lru_cache(maxsize=256)
def cached_filter(sources: tuple[str, ...]) -> PatternFilter:
    """The filter for these patterns: procedures that import a fact of the library have the same ones."""
    return PatternFilter(sources)


@lru_cache(maxsize=PATTERNS_KEPT)
def _compile(source: str) -> _Pattern:
    options = re2.Options()
    options.never_capture, options.log_errors = True, False
    words = _plain_words(source)
    # The first of the words that match wins, as in a search; a text of things makes few states here, and new ones in RE2.
    automaton = AhoCorasick(words, matchkind=MatchKind.LeftmostFirst) if words else None
    return _Pattern(re2.compile(source, options), automaton, _beginning(source))


def _beginning(source: str) -> Search | None:
    firsts: set[str] = set()
    for branch in needed_literals(source).branches:
        if not branch or isinstance(branch[0], CharacterGap):
            return None
        firsts |= branch[0]
    return first_of(frozenset(firsts))[1] if firsts else None


def _matches(pattern: _Pattern, part: str) -> Iterator[Span]:
    """The matches in a part of a text, in order, as a search in it finds them."""
    if pattern.literals is not None:
        for _, start, end in pattern.literals.find_matches_as_indexes(part):
            yield start, end
        return
    lower = part.lower()
    if pattern.begins is None or not len(lower) == len(part) <= _LONGEST_TRIED:
        for match in pattern.search.finditer(part):
            yield match.span()
        return
    # A search makes a state of RE2 for each set of places at which a match may have begun, 400 µs for the worst pattern and text;
    # tried from one place alone, a pattern has few states, which other texts have too.
    at = 0
    while (first := pattern.begins(lower, at, len(lower))) is not None:
        at = first.start()
        match = pattern.search.match(part, at)
        if match is None:
            at += 1
        else:
            yield match.span()
            at = match.end()


def merged_windows(windows: list[Span]) -> list[Span]:
    """The windows in order, joined where they touch."""
    if len(windows) == 1:
        return windows
    windows.sort()
    merged = windows[:1]
    for low, high in windows[1:]:
        if low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _plain_words(source: str) -> list[str]:
    """The words of a pattern that is nothing else, in its order."""
    inner = source
    while (match := _GROUPED.fullmatch(inner)) is not None:
        inner = match[1]
    return [] if _SYNTAX.search(inner) else [word for word in inner.split("|") if word]
