"""Works out which literals every match of a pattern holds, and how long a match may be: a text without them need not be searched."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Literals = frozenset[str]
_MAX_PRODUCT: Final = 120
"""Texts that a sequence of alternatives may have before they are read as several sets in place of one."""
_MAX_TEXTS: Final = 2_000
_MAX_CLASS: Final = 16
_MAX_NEEDS: Final = 3
_REPEAT: Final = re.compile(r"([*+?])|\{([0-9]+)(,([0-9]*))?\}")
_GROUP: Final = re.compile(r"\?(?:P?<[A-Za-z_][A-Za-z0-9_]*>|[imsU-]*:|([imsU-]+)\))")
_ONE_OF_MANY: Final = frozenset("dDwWsS")
_NOWHERE: Final = frozenset("bBAz")
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a match holds: of each set of `literals` at least one, in lower case; `width` characters at most, None: any number.

    `texts` are all texts that match, None if they are too many.
    """

    literals: tuple[Literals, ...] = ()
    width: int | None = None
    texts: Literals | None = None

    @property
    def sets(self) -> tuple[Literals, ...]:
        """The sets of literals, the most telling first."""
        if self.texts is None:
            return self.literals
        return () if "" in self.texts else (_shortest(self.texts),)


def needed_literals(source: str) -> Needs:
    """What a pattern in RE2 syntax needs; nothing for one whose syntax is not read here."""
    try:
        return _Reader(source).read()
    except _UnreadError:
        return Needs()


class _UnreadError(ValueError):
    """Syntax that is rare in patterns, such as a class by name or an octal character."""


class _Reader:
    """Reads a pattern from left to right; case is dropped everywhere, which makes needs weaker, never wrong."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def read(self) -> Needs:
        """The needs of the whole pattern."""
        needs = self._alternatives()
        if self._at < len(self._source):
            raise _UnreadError
        return needs

    def _next(self) -> str:
        if self._at >= len(self._source):
            raise _UnreadError
        self._at += 1
        return self._source[self._at - 1]

    def _alternatives(self) -> Needs:
        options = [self._sequence()]
        while self._source[self._at : self._at + 1] == "|":
            self._at += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else _either(options)

    def _sequence(self) -> Needs:
        parts = []
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return _in_sequence(parts)

    def _repeated(self, atom: Needs) -> Needs:
        while (match := _REPEAT.match(self._source, self._at)) is not None:
            self._at = match.end()
            if self._source[self._at : self._at + 1] == "?":
                self._at += 1
            sign, low, comma, high = match[1], match[2], match[3], match[4]
            least = {"*": 0, "+": 1, "?": 0}[sign] if sign else int(low)
            most = {"*": None, "+": None, "?": 1}[sign] if sign else (int(low) if comma is None else int(high) if high else None)
            atom = _times(atom, least, most)
        return atom

    def _atom(self) -> Needs:
        character = self._next()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escaped(self._next())
            case ".":
                return Needs(width=1)
            case "^" | "$":
                return _text("")
            case "*" | "+" | "?":
                raise _UnreadError
        return _text(character)

    def _group(self) -> Needs:
        if self._source[self._at : self._at + 1] == "?":
            match = _GROUP.match(self._source, self._at)
            if match is None:
                raise _UnreadError
            self._at = match.end()
            if match[1]:
                return _text("")
        needs = self._alternatives()
        if self._next() != ")":
            raise _UnreadError
        return needs

    @staticmethod
    def _escaped(character: str) -> Needs:
        if character in _ONE_OF_MANY:
            return Needs(width=1)
        if character in _NOWHERE:
            return _text("")
        if character in _CONTROLS:
            return _text(_CONTROLS[character])
        if character.isalnum():
            raise _UnreadError
        return _text(character)

    def _class(self) -> Needs:
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
        if few and len(characters) <= _MAX_CLASS:
            return Needs(width=1, texts=frozenset(each.lower() for each in characters))
        return Needs(width=1)


def _text(text: str) -> Needs:
    return Needs(width=len(text), texts=frozenset({text.lower()}))


def _either(options: Sequence[Needs]) -> Needs:
    widths = [option.width for option in options]
    width = None if None in widths else max(width for width in widths if width is not None)
    texts = [option.texts for option in options if option.texts is not None]
    if len(texts) == len(options) and sum(map(len, texts)) <= _MAX_TEXTS:
        return Needs(width=width, texts=frozenset().union(*texts))
    if not all(option.sets for option in options):
        return Needs(width=width)
    return Needs((_shortest(frozenset().union(*(option.sets[0] for option in options))),), width)


def _in_sequence(parts: Sequence[Needs]) -> Needs:
    texts: Literals = frozenset({""})
    literals: list[Literals] = []
    is_split = False
    width: int | None = 0
    for part in parts:
        width = None if width is None or part.width is None else width + part.width
        if part.texts is not None and len(texts) * len(part.texts) <= _MAX_PRODUCT:
            texts = frozenset(first + second for first in texts for second in part.texts)
            continue
        is_split = True
        literals += Needs(texts=texts).sets
        literals += part.sets if part.texts is None else ()
        texts = part.texts if part.texts is not None else frozenset({""})
    if not is_split:
        return Needs(width=width, texts=texts)
    literals += Needs(texts=texts).sets
    return Needs(tuple(sorted(literals, key=_telling, reverse=True)[:_MAX_NEEDS]), width)


def _times(atom: Needs, least: int, most: int | None) -> Needs:
    width = None if most is None or atom.width is None else atom.width * most
    if (least, most) == (1, 1):
        return atom
    if (least, most) == (0, 1) and atom.texts is not None:
        return Needs(width=width, texts=atom.texts | {""})
    return Needs(atom.sets if least else (), width)


def _telling(literals: Literals) -> tuple[int, int]:
    """Longer literals are rarer, and fewer are found less often."""
    return min(map(len, literals)), -len(literals)


def _shortest(texts: Literals) -> Literals:
    """Without the texts that contain another one."""
    kept: list[str] = []
    for text in sorted(texts, key=len):
        if not any(shorter in text for shorter in kept):
            kept.append(text)
    return frozenset(kept)
