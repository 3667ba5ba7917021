"""Works out around which literals of a text a pattern is searched, and what else has to stand near them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from shared.procedures.expressions.needed_literals import PATTERNS_KEPT, Branch, CharacterGap, Literals, needed_literals, shortest, width

WIDEST: Final = 400
"""Characters of a match beyond which the whole text is searched."""
_EVERYWHERE: Final = 1 << 30
Search = Callable[[str, int, int], re.Match[str] | None]


class Nearby(NamedTuple):
    """Texts of which one begins near an anchor, `low` to `high` characters from its beginning.

    `beginnings` are their first characters; `search` finds one of them up to `end`, None where all of them are single characters.
    """

    low: int
    high: int
    beginnings: Literals
    search: Search | None
    end: int


class Anchored(NamedTuple):
    """A branch of a pattern around a literal: its matches begin and end within `low` and `high` characters of the literal's beginning."""

    low: int
    high: int
    nearby: tuple[Nearby, ...]


class Owner(NamedTuple):
    """The branches of a pattern around a literal; none matches without one of `beginnings` at `low` to `high` characters from it."""

    pattern: int
    low: int
    high: int
    beginnings: Literals
    branches: tuple[Anchored, ...]


def add_anchors(source: str, number: int, owners: dict[str, list[Owner]]) -> bool:
    """Enter the literals around which the pattern is searched; false if it has a branch without any."""
    anchored = _anchored(source)
    for literal, branches in anchored.items():
        owners.setdefault(literal, []).append(_owner(number, branches))
    return bool(anchored)


@lru_cache(maxsize=PATTERNS_KEPT)
def _anchored(source: str) -> Mapping[str, tuple[Anchored, ...]]:
    """The branches of a pattern by the literal around which each is searched; empty if one has no literal."""
    needs = needed_literals(source)
    by_literal: dict[str, list[Anchored]] = {}
    for branch in needs.branches:
        anchor = _anchor(branch)
        if anchor is None:
            return {}
        for literal, anchored in _around(branch, anchor, is_bounded=not needs.at_edges):
            by_literal.setdefault(literal, []).append(anchored)
    return {literal: tuple(branches) for literal, branches in by_literal.items()}


def _owner(number: int, branches: tuple[Anchored, ...]) -> Owner:
    firsts = [branch.nearby[0] for branch in branches if branch.nearby]
    if len(firsts) < len(branches):
        return Owner(number, 0, 0, frozenset(), branches)
    if len(firsts) == 1 and firsts[0].search is None:
        first, (low, high, nearby) = firsts[0], branches[0]
        return Owner(number, first.low, first.high, first.beginnings, (Anchored(low, high, nearby[1:]),))
    beginnings = frozenset[str]().union(*(first.beginnings for first in firsts))
    return Owner(number, min(first.low for first in firsts), max(first.high for first in firsts), beginnings, branches)


def _anchor(branch: Branch) -> int | None:
    """The index of the literals that a text is least likely to hold."""
    expected = {index: sum(map(_expected, shortest(item))) for index, item in enumerate(branch) if not isinstance(item, CharacterGap)}
    return min(expected, key=lambda index: expected[index]) if expected else None


def _expected(literal: str) -> float:
    """A rough frequency of a literal in a complaint of 400 characters: by its length, a digit more often than a Chinese character."""
    single = 2.0 if literal.isascii() else 0.8
    return {1: single, 2: 0.1}.get(len(literal), 0.02)


def _around(branch: Branch, anchor: int, *, is_bounded: bool) -> Iterator[tuple[str, Anchored]]:
    texts = branch[anchor]
    assert not isinstance(texts, CharacterGap)
    # Most literals of a set stand alone in it, so that they have the same surroundings: kept once, they take a third of the memory.
    known: dict[tuple[CharacterGap, CharacterGap], Anchored] = {}
    for literal in shortest(texts):
        # The literal may stand inside a longer one of its set.
        offsets = [(at, len(text)) for text in texts if literal in text for at in range(len(text)) if text.startswith(literal, at)]
        begins = CharacterGap(-max(at for at, _ in offsets), -min(at for at, _ in offsets))
        ends = CharacterGap(min(size - at for at, size in offsets), max(size - at for at, size in offsets))
        anchored = known.get((begins, ends))
        if anchored is None:
            anchored = known[begins, ends] = _surroundings(branch[:anchor], branch[anchor + 1 :], begins, ends, is_bounded=is_bounded)
        yield literal, anchored


def _surroundings(preceding: Branch, following: Branch, begins: CharacterGap, ends: CharacterGap, *, is_bounded: bool) -> Anchored:
    """The surroundings that a literal of a set requires; distances of the set's text are from the literal's beginning."""
    nearby = [*_preceding(preceding, begins.least, begins.most or 0), *_following(following, ends.least, ends.most or 0)]
    # What is least likely first.
    nearby.sort(key=lambda each: (each.high - each.low) * len(each.beginnings))
    before, after = width(preceding).most, width(following).most
    if is_bounded and before is not None and after is not None:
        low, high = begins.least - before - 1, (ends.most or 0) + after + 1
        if high - low <= WIDEST:
            return Anchored(low, high, tuple(nearby))
    return Anchored(-_EVERYWHERE, _EVERYWHERE, tuple(nearby))


def _preceding(items: Branch, first: int, last: int) -> Iterator[Nearby]:
    """The required text before an anchor that begins at `first` to `last`, the nearest first; without text of any place."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        least, most = width(items[index:])
        if not isinstance(item, CharacterGap) and most is not None and most - first <= WIDEST:
            yield _nearby(first - most, last - least + 1, item)


def _following(items: Branch, first: int, last: int) -> Iterator[Nearby]:
    for index, item in enumerate(items):
        least, most = width(items[:index])
        if not isinstance(item, CharacterGap) and most is not None and most - least + last - first <= WIDEST:
            yield _nearby(first + least, last + most + 1, item)


def _nearby(low: int, high: int, texts: Literals) -> Nearby:
    beginnings, search, longest = first_of(texts)
    return Nearby(low, high, beginnings, search if longest > 1 else None, high + longest - 1)


@lru_cache(maxsize=1024)
def first_of(texts: Literals) -> tuple[Literals, Search, int]:
    """The first characters of texts, the search for one of them, and the length of the longest."""
    # Literals alone: `re` takes them faster than RE2 and in as few steps.
    search = re.compile("|".join(map(re.escape, sorted(texts)))).search
    return frozenset(text[0] for text in texts), search, max(map(len, texts))


def are_near(nearby: Iterable[Nearby], padded: str, anchor: int) -> bool:
    """Whether of each of these one of the texts begins where it has to."""
    for low, high, beginnings, search, end in nearby:
        if beginnings.isdisjoint(padded[anchor + low : anchor + high]):
            return False
        if search is not None and search(padded, anchor + low, anchor + end) is None:
            return False
    return True
