"""Finds the parts of a text in which patterns may match, by the literals that they need."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import re2
from ahocorasick_rs import AhoCorasick, MatchKind

from shared.procedures.expressions.needed_literals import Branch, Gap, Literals, needed_literals, shortest, width

Span = tuple[int, int]
_GROUPED: Final = re.compile(r"\((?:\?:)?([^()]*|\([^()]*\))\)")
_SYNTAX: Final = re.compile(r"[\\.\[\](){}*+?^$]|^\||\|\||\|$")
_WIDEST: Final = 400
"""Characters of a match beyond which the whole text is searched."""
_EVERYWHERE: Final = 1 << 30
_PADDING: Final = "\x00" * _WIDEST
"""Stands before a text, so that no place near a literal lies before its beginning."""


_Search = Callable[[str, int, int], re.Match[str] | None]


class _Nearby(NamedTuple):
    """Texts of which one begins near an anchor, `low` to `high` characters from its beginning.

    `beginnings` are their first characters; `search` finds one of them up to `end`, None where all of them are single characters.
    """

    low: int
    high: int
    beginnings: Literals
    search: _Search | None
    end: int


class _Anchored(NamedTuple):
    """A branch of a pattern around a literal: its matches begin and end within `low` and `high` characters of the literal's beginning."""

    low: int
    high: int
    nearby: tuple[_Nearby, ...]


class _Owner(NamedTuple):
    """The branches of a pattern around a literal; none matches without one of `beginnings` at `low` to `high` characters from it."""

    pattern: int
    low: int
    high: int
    beginnings: Literals
    branches: tuple[_Anchored, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A compiled pattern; `literals` finds the matches of one that is plain words, in place of `search`."""

    search: Any
    literals: AhoCorasick | None


class PatternFilter:
    """Looks for the rarest literals of all patterns in one pass, and searches a pattern around those beside which the others may be.

    RE2's own filter keeps the set of all literals found so far in its states: a text of 400 characters made hundreds of new ones,
    0.7 ms. A pattern with `.{0,20}` makes a state for each place too, so that searching it in the whole text took up to 1.8 ms.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        owners: dict[str, list[_Owner]] = {}
        self._patterns = [_compile(source) for source in sources]
        self._unfiltered = [number for number, source in enumerate(sources) if not _add_anchors(source, number, owners)]
        self._owners = [tuple(of_literal) for of_literal in owners.values()]
        self._automaton = AhoCorasick(list(owners)) if owners else None

    @property
    def number(self) -> int:
        """The number of patterns."""
        return len(self._patterns)

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
            anchor = place + _WIDEST
            for pattern, low, high, beginnings, branches in self._owners[literal]:
                if beginnings and beginnings.isdisjoint(padded[anchor + low : anchor + high]):
                    continue
                for first, last, nearby in branches:
                    if not nearby or _are_near(nearby, padded, anchor):
                        found.setdefault(pattern, []).append((max(0, place + first), min(length, place + last)))
        return {number: merged_windows(found[number]) for number in sorted(found)}


@lru_cache(maxsize=256)
def cached_filter(sources: tuple[str, ...]) -> PatternFilter:
    """The filter for these patterns: procedures that import a fact of the library have the same ones."""
    return PatternFilter(sources)


def _compile(source: str) -> _Pattern:
    options = re2.Options()
    options.never_capture, options.log_errors = True, False
    words = _plain_words(source)
    # The first of the words that match wins, as in a search; a text of things makes few states here, and new ones in RE2.
    return _Pattern(re2.compile(source, options), AhoCorasick(words, matchkind=MatchKind.LeftmostFirst) if words else None)


def _add_anchors(source: str, number: int, owners: dict[str, list[_Owner]]) -> bool:
    """Enter the literals around which the pattern is searched; false if it has a branch without any."""
    needs = needed_literals(source)
    by_literal: dict[str, list[_Anchored]] = {}
    for branch in needs.branches:
        anchor = _anchor(branch)
        if anchor is None:
            return False
        for literal, anchored in _around(branch, anchor, is_bounded=not needs.at_edges):
            by_literal.setdefault(literal, []).append(anchored)
    for literal, branches in by_literal.items():
        owners.setdefault(literal, []).append(_owner(number, tuple(branches)))
    return bool(needs.branches)


def _owner(number: int, branches: tuple[_Anchored, ...]) -> _Owner:
    firsts = [branch.nearby[0] for branch in branches if branch.nearby]
    if len(firsts) < len(branches):
        return _Owner(number, 0, 0, frozenset(), branches)
    if len(firsts) == 1 and firsts[0].search is None:
        first, (low, high, nearby) = firsts[0], branches[0]
        return _Owner(number, first.low, first.high, first.beginnings, (_Anchored(low, high, nearby[1:]),))
    beginnings = frozenset[str]().union(*(first.beginnings for first in firsts))
    return _Owner(number, min(first.low for first in firsts), max(first.high for first in firsts), beginnings, branches)


def _anchor(branch: Branch) -> int | None:
    """The index of the literals that a text is least likely to hold."""
    expected = {index: sum(map(_expected, shortest(item))) for index, item in enumerate(branch) if not isinstance(item, Gap)}
    return min(expected, key=lambda index: expected[index]) if expected else None


def _expected(literal: str) -> float:
    """How often a literal stands in a complaint of 400 characters, roughly: by its length, a digit more often than a Chinese character."""
    single = 2.0 if literal.isascii() else 0.8
    return {1: single, 2: 0.1}.get(len(literal), 0.02)


def _around(branch: Branch, anchor: int, *, is_bounded: bool) -> Iterator[tuple[str, _Anchored]]:
    texts = branch[anchor]
    assert not isinstance(texts, Gap)
    # Most literals of a set stand alone in it, so that they have the same surroundings: kept once, they take a third of the memory.
    known: dict[tuple[Gap, Gap], _Anchored] = {}
    for literal in shortest(texts):
        # The literal may stand inside a longer one of its set.
        offsets = [(at, len(text)) for text in texts if literal in text for at in range(len(text)) if text.startswith(literal, at)]
        begins = Gap(-max(at for at, _ in offsets), -min(at for at, _ in offsets))
        ends = Gap(min(size - at for at, size in offsets), max(size - at for at, size in offsets))
        anchored = known.get((begins, ends))
        if anchored is None:
            anchored = known[begins, ends] = _surroundings(branch[:anchor], branch[anchor + 1 :], begins, ends, is_bounded=is_bounded)
        yield literal, anchored


def _surroundings(preceding: Branch, following: Branch, begins: Gap, ends: Gap, *, is_bounded: bool) -> _Anchored:
    """What has to stand around a literal of a set; the text of the set begins and ends at these distances from the literal's beginning."""
    nearby = [*_preceding(preceding, begins.least, begins.most or 0), *_following(following, ends.least, ends.most or 0)]
    # What is least likely first.
    nearby.sort(key=lambda each: (each.high - each.low) * len(each.beginnings))
    before, after = width(preceding).most, width(following).most
    if is_bounded and before is not None and after is not None:
        low, high = begins.least - before - 1, (ends.most or 0) + after + 1
        if high - low <= _WIDEST:
            return _Anchored(low, high, tuple(nearby))
    return _Anchored(-_EVERYWHERE, _EVERYWHERE, tuple(nearby))


def _preceding(items: Branch, first: int, last: int) -> Iterator[_Nearby]:
    """What has to stand before an anchor that begins at `first` to `last`, the nearest first; not what may stand anywhere."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        least, most = width(items[index:])
        if not isinstance(item, Gap) and most is not None and most - first <= _WIDEST:
            yield _nearby(first - most, last - least + 1, item)


def _following(items: Branch, first: int, last: int) -> Iterator[_Nearby]:
    for index, item in enumerate(items):
        least, most = width(items[:index])
        if not isinstance(item, Gap) and most is not None and most - least + last - first <= _WIDEST:
            yield _nearby(first + least, last + most + 1, item)


def _nearby(low: int, high: int, texts: Literals) -> _Nearby:
    beginnings, search, longest = _first_of(texts)
    return _Nearby(low, high, beginnings, search, high + longest - 1)


@lru_cache(maxsize=1024)
def _first_of(texts: Literals) -> tuple[Literals, _Search | None, int]:
    """The first characters of texts, the search for one of them, and the length of the longest."""
    longest = max(map(len, texts))
    # Literals alone: `re` takes them faster than RE2 and in as few steps.
    search = re.compile("|".join(map(re.escape, sorted(texts)))).search if longest > 1 else None
    return frozenset(text[0] for text in texts), search, longest


def _are_near(nearby: Iterable[_Nearby], padded: str, anchor: int) -> bool:
    """Whether of each of these one of the texts begins where it has to."""
    for low, high, beginnings, search, end in nearby:
        if beginnings.isdisjoint(padded[anchor + low : anchor + high]):
            return False
        if search is not None and search(padded, anchor + low, anchor + end) is None:
            return False
    return True


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
