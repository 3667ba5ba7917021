"""Finds the parts of a text in which patterns may match, by the literals that they need."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import re2
from ahocorasick_rs import AhoCorasick, MatchKind

from services.triage.domain.facts.needed_literals import Literals, needed_literals

Span = tuple[int, int]
_GROUPED: Final = re.compile(r"\((?:\?:)?([^()]*|\([^()]*\))\)")
_SYNTAX: Final = re.compile(r"[\\.\[\](){}*+?^$]|^\||\|\||\|$")
_WIDEST: Final = 400
"""Characters of a match beyond which the whole text is searched."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A compiled pattern: its search begins at an anchor, the numbers of `others` name sets of which a literal has to be near.

    `literals` finds the matches of a pattern that is plain words, in place of `search`. `characters` are sets of which a character has
    to be near; `width` is None where the whole text is searched.
    """

    search: Any
    literals: AhoCorasick | None
    width: int | None
    others: tuple[int, ...]
    characters: tuple[Literals, ...]
    has_anchor: bool


class PatternFilter:
    """Looks for the literals of all patterns in one pass, and searches a pattern only around the literals of its rarest kind.

    RE2's own filter keeps the set of all literals found so far in its states: a text of 400 characters made hundreds of new ones,
    0.7 ms. A pattern with `.{0,20}` makes a state for each place too, so that searching it in the whole text took up to 1.8 ms.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self._sets = len(sources)
        # A literal's owners: the patterns that it is an anchor of, by number, and behind them the numbers of other sets.
        owners: dict[str, list[int]] = {}
        self._patterns = [self._compile(source, number, owners) for number, source in enumerate(sources)]
        self._unfiltered = [number for number, pattern in enumerate(self._patterns) if not pattern.has_anchor]
        self._number = len(sources)
        self._owners = [tuple(numbers) for numbers in owners.values()]
        self._automaton = AhoCorasick(list(owners)) if owners else None

    def _compile(self, source: str, number: int, owners: dict[str, list[int]]) -> _Pattern:
        options = re2.Options()
        options.never_capture, options.log_errors = True, False
        needs = needed_literals(source)
        others: list[int] = []
        characters: list[Literals] = []
        for place, literals in enumerate(needs.sets):
            # Single characters stand everywhere: but for the anchor, they are looked for where it is.
            if place and min(map(len, literals)) == 1:
                characters.append(frozenset(literal[0] for literal in literals))
                continue
            owner = number
            if place:
                owner, self._sets = self._sets, self._sets + 1
                others.append(owner)
            for literal in literals:
                owners.setdefault(literal, []).append(owner)
        width = needs.width if needs.width is not None and needs.width <= _WIDEST else None
        words = _plain_words(source)
        # The first of the words that match wins, as in a search; a text of things makes few states here, and new ones in RE2.
        automaton = AhoCorasick(words, matchkind=MatchKind.LeftmostFirst) if words else None
        return _Pattern(re2.compile(source, options), automaton, width, tuple(others), tuple(characters), bool(needs.sets))

    def spans(self, text: str, number: int, windows: Iterable[Span]) -> Iterator[Span]:
        """The matches of a pattern, which all stand in its windows, in order."""
        pattern = self._patterns[number]
        for low, high in windows:
            part = text[low:high]
            if pattern.literals is not None:
                yield from ((low + start, low + end) for _, start, end in pattern.literals.find_matches_as_indexes(part))
                continue
            for match in pattern.search.finditer(part):
                start, end = match.span()
                yield low + start, low + end

    def windows(self, text: str) -> dict[int, list[Span]]:
        """The patterns that may match, by number in order, with the parts of the text that hold their matches.

        A part begins and ends at least a character beside a match, so that a search there sees the same borders of words.
        """
        lower = text.lower()
        found: dict[int, list[Span]] = {number: [(0, len(text))] for number in self._unfiltered}
        if self._automaton is None:
            return found
        places: dict[int, list[int]] = {}
        for literal, start, _ in self._automaton.find_matches_as_indexes(lower, overlapping=True):
            for owner in self._owners[literal]:
                if owner in places:
                    places[owner].append(start)
                else:
                    places[owner] = [start]
        for number in sorted(places):
            if number >= self._number:
                break
            if windows := self._windows(number, text, lower, places):
                found[number] = windows
        return dict(sorted(found.items())) if self._unfiltered else found

    def _windows(self, number: int, text: str, lower: str, places: dict[int, list[int]]) -> list[Span]:
        """The parts around those anchors that have what else the pattern needs near them, joined where they touch."""
        pattern = self._patterns[number]
        if not all(other in places for other in pattern.others):
            return []
        # A letter that has two in lower case moves all places behind it.
        if pattern.width is None or len(lower) != len(text):
            return [(0, len(text))]
        others = [sorted(places[other]) for other in pattern.others]
        windows: list[Span] = []
        for anchor in sorted(places[number]):
            low, high = max(0, anchor - pattern.width), min(len(text), anchor + pattern.width + 1)
            if any(bisect_left(of_set, low) == bisect_left(of_set, high) for of_set in others):
                continue
            near = lower[low:high]
            if any(of_set.isdisjoint(near) for of_set in pattern.characters):
                continue
            if windows and low <= windows[-1][1]:
                windows[-1] = windows[-1][0], high
            else:
                windows.append((low, high))
        return windows

    def matching(self, text: str) -> list[int]:
        """The numbers of the patterns that match."""
        return [number for number, windows in self.windows(text).items() if any(True for _ in self.spans(text, number, windows))]


def _plain_words(source: str) -> list[str]:
    """The words of a pattern that is nothing else, in its order."""
    inner = source
    while (match := _GROUPED.fullmatch(inner)) is not None:
        inner = match[1]
    return [] if _SYNTAX.search(inner) else [word for word in inner.split("|") if word]
