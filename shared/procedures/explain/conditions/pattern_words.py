"""A text pattern as words and distances: `电梯.{0,6}(停运|故障)` → “电梯”, within 6 characters “停运” or “故障”.

A search pattern of a pack is a list of expressions; people read it as one. Only the forms that stand for such lists are known.
"""

import re
from dataclasses import dataclass
from itertools import product

_TOKENS = re.compile(
    r"(?P<flag>\(\?i\))|(?P<group>\((?:\?:)?)|(?P<close>\))|(?P<bar>\|)|(?P<gap>\.(?:\{(?P<least>\d+),(?P<most>\d+)\}|[?*+])?)"
    r"|(?P<optional>\?)|\[(?P<characters>[^\]^\\-]+)\]|\\(?P<escaped>.)|(?P<literal>[^\\()|.?*+{}\[\]^$])"
)
# RE2 refuses repetitions above 1000, so that no bounded gap reaches this.
_UNBOUNDED = 1001
Alternatives = list[tuple["str | Gap", ...]]


class PatternWordsError(ValueError):
    """A pattern that is more than a list of expressions."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Characters that may stand between two words."""

    most: int

    @property
    def is_unbounded(self) -> bool:
        """Whether any number of characters may stand between."""
        return self.most >= _UNBOUNDED


@dataclass(frozen=True, slots=True)
class WordSequence:
    """Words in order: `words[i]` are alternatives for place i, `gaps[i]` is the distance between place i and place i + 1."""

    words: tuple[tuple[str, ...], ...]
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class PatternWords:
    """What a pattern finds: one of the sequences."""

    sequences: tuple[WordSequence, ...]
    ignores_case: bool = False


def pattern_words(pattern: str) -> PatternWords:
    """The words of a pattern; raises `PatternWordsError` for one that is not a list of expressions."""
    reader = _PatternReader(pattern)
    alternatives = reader.alternatives()
    if reader.tokens:
        raise PatternWordsError("brackets do not match")
    sequences = list(dict.fromkeys(_to_sequence(alternative) for alternative in alternatives))
    return PatternWords(tuple(_merge(_merge(sequences, -1), 0)), reader.ignores_case)


class _PatternReader:
    def __init__(self, pattern: str) -> None:
        self.tokens = list[re.Match[str]]()
        self.ignores_case = False
        position = 0
        while position < len(pattern):
            match = _TOKENS.match(pattern, position)
            if match is None:
                raise PatternWordsError(f"cannot be listed from {pattern[position:]}")
            if match["flag"]:
                self.ignores_case = True
            else:
                self.tokens.append(match)
            position = match.end()
        self.tokens.reverse()  # the next token is the last of the list

    def alternatives(self) -> Alternatives:
        """Every way to fit the pattern up to the end or a closing bracket, as strings and gaps."""
        finished, current = Alternatives(), Alternatives([()])
        while self.tokens and not self.tokens[-1]["close"]:
            token = self.tokens.pop()
            if token["bar"]:
                finished, current = finished + current, Alternatives([()])
                continue
            atom = self._atom(token)
            if self.tokens and self.tokens[-1]["optional"]:
                self.tokens.pop()
                atom = [*atom, ()]
            current = [(*before, *after) for before, after in product(current, atom)]
        return finished + current

    def _atom(self, token: re.Match[str]) -> Alternatives:
        if token["group"]:
            inner = self.alternatives()
            if not self.tokens:
                raise PatternWordsError("brackets do not match")
            self.tokens.pop()
            return inner
        if token["gap"]:
            return [(Gap(int(token["most"])) if token["most"] else Gap(_UNBOUNDED if token["gap"][-1] in "*+" else 1),)]
        if token["characters"]:
            return [(character,) for character in token["characters"]]
        if token["optional"]:
            raise PatternWordsError("a question mark without a word before it")
        return [(token["escaped"] or token["literal"],)]


def _to_sequence(alternative: tuple[str | Gap, ...]) -> WordSequence:
    words, gaps = [""], list[Gap]()
    for atom in alternative:
        if isinstance(atom, str):
            words[-1] += atom
        elif words[-1]:  # a gap before the first word says nothing in a search
            words.append("")
            gaps.append(atom)
    if not words[-1] and gaps:
        words.pop()
        gaps.pop()
    if not all(words):
        raise PatternWordsError("a place without a word")
    return WordSequence(tuple((word,) for word in words), tuple(gaps))


def _merge(sequences: list[WordSequence], place: int) -> list[WordSequence]:
    """Sequences that differ only at one place, as one; those of one word stay in their order."""
    merged = dict[tuple[object, ...], WordSequence]()
    for sequence in sequences:
        index = place % len(sequence.words)
        key = (sequence.gaps, sequence.words[:index], sequence.words[index + 1 :])
        other = merged.get(key)
        words = (*other.words[index], *sequence.words[index]) if other else sequence.words[index]
        merged[key] = WordSequence(
            (*sequence.words[:index], _needed(words, alone=not sequence.gaps), *sequence.words[index + 1 :]), sequence.gaps
        )
    return list(merged.values())


def _needed(words: tuple[str, ...], *, alone: bool) -> tuple[str, ...]:
    """The words without repetition; of a word that stands alone those that contain another one add nothing to a search."""
    unique = tuple(dict.fromkeys(words))
    return tuple(word for word in unique if not (alone and any(other in word for other in unique if other != word)))
