"""Works out what every match of a pattern holds and where: literals, and between them gaps of bounded width.

A text without them need not be searched, and one with them only where they are in the right order and near enough to each other.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

Literals = frozenset[str]
_MAX_PRODUCT: Final = 120
"""Texts that a sequence of alternatives may have before they are read as several sets in place of one."""
_MAX_TEXTS: Final = 2_000
_MAX_CLASS: Final = 64
_MAX_BRANCHES: Final = 40
_REPEAT: Final = re.compile(r"([*+?])|\{([0-9]+)(,([0-9]*))?\}")
_GROUP: Final = re.compile(r"\?(?:P?<[A-Za-z_][A-Za-z0-9_]*>|[imsU-]*:|([imsU-]+)\))")
_ONE_OF_MANY: Final = frozenset("dDwWsS")
_BORDERS: Final = frozenset("bB")
_EDGES: Final = frozenset("Az")
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class CharacterGap(NamedTuple):
    """Any characters, `least` to `most` of them; None: any number."""

    least: int
    most: int | None


Item = Literals | CharacterGap
Branch = tuple[Item, ...]
"""Literals, of each set one, and gaps in their order; literals are in lower case."""
Branches = tuple[Branch, ...]
PATTERNS_KEPT: Final = 4096
"""Results kept for a pattern: all procedures use the library's patterns, and reading one takes a millisecond."""
_EMPTY: Final[Literals] = frozenset({""})
_NOTHING: Final[Branches] = ((),)


@dataclass(frozen=True, slots=True)
class Needs:
    """The shape of a match, one of `branches`; none for a pattern whose syntax is not read here.

    `at_edges`: the pattern names the beginning or the end of the text, so that it is searched in the whole of it.
    """

    branches: Branches = ()
    at_edges: bool = False


@lru_cache(maxsize=PATTERNS_KEPT)
def needed_literals(source: str) -> Needs:
    """The needs of a pattern in RE2 syntax; none for one whose syntax is not read here."""
    reader = _Reader(source)
    try:
        return Needs(tuple(_settled(branch) for branch in reader.read()), reader.at_edges)
    except _UnreadError:
        return Needs()


def width(items: Iterable[Item]) -> CharacterGap:
    """The characters that items take."""
    least, most = 0, 0
    is_bounded = True
    for item in items:
        low, high = item if isinstance(item, CharacterGap) else (min(map(len, item)), max(map(len, item)))
        least += low
        is_bounded = is_bounded and high is not None
        most += high or 0
    return CharacterGap(least, most if is_bounded else None)


class _UnreadError(ValueError):
    """Syntax that is rare in patterns, such as a class by name or an octal character."""


class _Reader:
    """Reads a pattern from left to right; case is dropped everywhere, which makes needs weaker, never wrong."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self.at_edges = False

    def read(self) -> Branches:
        """The branches of the whole pattern."""
        branches = self._alternatives()
        if self._at < len(self._source):
            raise _UnreadError
        return branches

    def _next(self) -> str:
        if self._at >= len(self._source):
            raise _UnreadError
        self._at += 1
        return self._source[self._at - 1]

    def _alternatives(self) -> Branches:
        options = [self._sequence()]
        while self._source[self._at : self._at + 1] == "|":
            self._at += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else _either(options)

    def _sequence(self) -> Branches:
        branches = _NOTHING
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            branches = _followed(branches, self._repeated(self._atom()))
        return branches

    def _repeated(self, atom: Branches) -> Branches:
        while (match := _REPEAT.match(self._source, self._at)) is not None:
            self._at = match.end()
            if self._source[self._at : self._at + 1] == "?":
                self._at += 1
            sign, low, comma, high = match[1], match[2], match[3], match[4]
            least = {"*": 0, "+": 1, "?": 0}[sign] if sign else int(low)
            most = {"*": None, "+": None, "?": 1}[sign] if sign else (int(low) if comma is None else int(high) if high else None)
            atom = _times(atom, least, most)
        return atom

    def _atom(self) -> Branches:
        character = self._next()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escaped(self._next())
            case ".":
                return _gap(1, 1)
            case "^" | "$":
                self.at_edges = True
                return _NOTHING
            case "*" | "+" | "?":
                raise _UnreadError
        return _one_of([character])

    def _group(self) -> Branches:
        if self._source[self._at : self._at + 1] == "?":
            match = _GROUP.match(self._source, self._at)
            if match is None:
                raise _UnreadError
            self._at = match.end()
            if match[1]:
                return _NOTHING
        branches = self._alternatives()
        if self._next() != ")":
            raise _UnreadError
        return branches

    def _escaped(self, character: str) -> Branches:
        if character in _ONE_OF_MANY:
            return _gap(1, 1)
        if character in _BORDERS or character in _EDGES:
            self.at_edges = self.at_edges or character in _EDGES
            return _NOTHING
        if character in _CONTROLS:
            return _one_of([_CONTROLS[character]])
        if character.isalnum():
            raise _UnreadError
        return _one_of([character])

    def _class(self) -> Branches:
        """A class of few characters is so many alternatives."""
        negated = self._source[self._at : self._at + 1] == "^"
        self._at += negated
        characters: set[str] = set()
        few, first = not negated, True
        while (character := self._next()) != "]" or first:
            first = False
            if character == "[":
                raise _UnreadError  # RE2 reads [:digit:] here
            if character == "\\":
                character = self._next()
                if character in _ONE_OF_MANY:
                    few = False
                elif character in _CONTROLS:
                    character = _CONTROLS[character]
                elif character.isalnum():
                    raise _UnreadError
            if self._source[self._at : self._at + 1] == "-" and self._source[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                last = self._next()
                if last in "\\[":
                    raise _UnreadError
                few = few and ord(last) - ord(character) < _MAX_CLASS
                characters |= {chr(code) for code in range(ord(character), ord(last) + 1)} if few else set()
            else:
                characters.add(character)
        return _one_of(characters) if few and len(characters) <= _MAX_CLASS else _gap(1, 1)


def _one_of(texts: Iterable[str]) -> Branches:
    return ((frozenset(text.lower() for text in texts),),)


def _gap(least: int, most: int | None) -> Branches:
    return ((CharacterGap(least, most),),)


def _texts(branch: Branch) -> Literals | None:
    """The texts of a branch that is nothing else."""
    if not branch:
        return _EMPTY
    return branch[0] if len(branch) == 1 and not isinstance(branch[0], CharacterGap) else None


def _either(options: Sequence[Branches]) -> Branches:
    branches = list(dict.fromkeys(branch for option in options for branch in option))
    texts = frozenset[str]().union(*(known for branch in branches if (known := _texts(branch)) is not None))
    others = [branch for branch in branches if _texts(branch) is None]
    if len(texts) > _MAX_TEXTS or len(others) + bool(texts) > _MAX_BRANCHES:
        return _collapsed(branches)
    return ((texts,), *others) if texts else tuple(others)


def _collapsed(branches: Sequence[Branch]) -> Branches:
    """A gap as wide as any of the branches."""
    widths = [width(branch) for branch in branches]
    most = None if any(each.most is None for each in widths) else max(each.most or 0 for each in widths)
    return _gap(min(each.least for each in widths), most)


def _followed(firsts: Branches, seconds: Branches) -> Branches:
    if len(firsts) * len(seconds) > _MAX_BRANCHES:
        seconds = _collapsed(seconds)
    return tuple(dict.fromkeys(_joined(first, second) for first, second in product(firsts, seconds)))


def _joined(first: Branch, second: Branch) -> Branch:
    if not first or not second:
        return first or second
    before, after = first[-1], second[0]
    if isinstance(before, CharacterGap) and isinstance(after, CharacterGap):
        return (*first[:-1], width((before, after)), *second[1:])
    if not (isinstance(before, CharacterGap) or isinstance(after, CharacterGap)) and len(before) * len(after) <= _MAX_PRODUCT:
        return (*first[:-1], frozenset(one + other for one, other in product(before, after)), *second[1:])
    return first + second


def _times(branches: Branches, least: int, most: int | None) -> Branches:
    if (least, most) == (1, 1):
        return branches
    if most == 0:
        return _NOTHING
    texts = _texts(branches[0]) if len(branches) == 1 else None
    if texts is not None and (least, most) == (0, 1):
        return ((texts | _EMPTY,),)
    each = _collapsed(branches)[0][0]
    assert isinstance(each, CharacterGap)
    further = None if most is None or each.most is None else each.most * (most - (least > 0))
    if not least:
        return _gap(0, further)
    # One of them, and as many more as there may be.
    return _followed(branches, _gap(each.least * (least - 1), further)) if further != 0 else branches


def _settled(branch: Branch) -> Branch:
    """The branch in which a set that may be empty is a gap, and gaps are joined."""
    settled: Branch = ()
    for item in branch:
        settled = _joined(settled, (width((item,)),) if not isinstance(item, CharacterGap) and "" in item else (item,))
    return settled


@lru_cache(maxsize=1024)
def shortest(texts: Literals) -> Literals:
    """Without the texts that contain another one."""
    kept: set[str] = set()
    lengths = sorted({len(text) for text in texts})
    for text in sorted(texts, key=len):
        parts = (text[at : at + length] for length in lengths if length < len(text) for at in range(len(text) - length + 1))
        if kept.isdisjoint(parts):
            kept.add(text)
    return frozenset(kept)
