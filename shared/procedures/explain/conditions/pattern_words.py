"""A text pattern as words and distances: `电梯.{0,6}(停运|故障)` → “电梯”, within 6 characters “停运” or “故障”.

A search pattern of a pack is a list of expressions; people read it as one. Only the forms that stand for such lists are known.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product

_TOKENS = re.compile(
    r"(?P<flag>\(\?i\))|(?P<group>\((?:\?:)?)|(?P<close>\))|(?P<bar>\|)|(?P<gap>\.(?:\{(?P<least>\d+),(?P<most>\d+)\}|[?*+])?)"
    r"|(?P<optional>\?)|\[(?P<characters>[^\]^\\-]+)\]|\\(?P<escaped>.)|(?P<literal>[^\\()|.?*+{}\[\]^$])"
)
# RE2 refuses repetitions above 1000, so that no bounded gap reaches this.
_UNBOUNDED = 1001
# Seven verbs times four nouns are 28 words on the page; below this number people read the words themselves more easily.
_FEWEST_FACTORED = 8
_CHINESE_WORD = re.compile("[\u3400-\u9fff]+")
Alternatives = list[tuple["str | Gap", ...]]


class PatternWordsError(ValueError):
    """A pattern that is more than a list of expressions."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Characters that may come between two words."""

    most: int

    @property
    def is_unbounded(self) -> bool:
        """Whether any number of characters may come between."""
        return self.most >= _UNBOUNDED


@dataclass(frozen=True, slots=True)
class WordSequence:
    """Words in order: `words[i]` are alternatives for place i, `gaps[i]` is the distance between place i and place i + 1."""

    words: tuple[tuple[str, ...], ...]
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class PatternWords:
    """The matches of a pattern: one of the sequences."""

    sequences: tuple[WordSequence, ...]
    ignores_case: bool = False


def pattern_words(pattern: str) -> PatternWords:
    """The words of a pattern; raises `PatternWordsError` for one that is not a list of expressions."""
    reader = _PatternReader(pattern)
    return PatternWords(tuple(merge_sequences(reader.sequences())), reader.ignores_case)


def pattern_sequences(pattern: str) -> list[WordSequence]:
    """Every sequence of a pattern by itself, to be merged with those of others; raises like `pattern_words`."""
    return _PatternReader(pattern).sequences()


def merge_sequences(sequences: Sequence[WordSequence]) -> list[WordSequence]:
    """The sequences without repetitions: those that differ at one place are one, and many words are their parts."""
    merged = list(sequences)
    for place in (-1, 0, 1):
        merged = _merge(merged, place)
    alone = {word for sequence in merged if not sequence.gaps for word in sequence.words[0]}
    needed = [sequence if not sequence.gaps else _without(sequence, alone) for sequence in merged]
    needed.sort(key=lambda sequence: bool(sequence.gaps))  # words that stand alone come first, so that no list ends inside another
    return [part for sequence in needed if all(sequence.words) for part in _factored(sequence)]


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

    def sequences(self) -> list[WordSequence]:
        """Every way to fit the whole pattern, each once."""
        alternatives = self.alternatives()
        if self.tokens:
            raise PatternWordsError("brackets do not match")
        return list(dict.fromkeys(_to_sequence(alternative) for alternative in alternatives))

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
        index = place % len(sequence.words) if place < len(sequence.words) else -1 % len(sequence.words)
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
    return tuple(word for word in unique if not (alone and _contains_one(word, unique)))


# A Latin word is looked for as a whole, so that `congressman` is not found by `congress`.
def _contains_one(word: str, others: Collection[str]) -> bool:
    return any(other in word for other in others if other != word and _CHINESE_WORD.fullmatch(other))


def _without(sequence: WordSequence, alone: Collection[str]) -> WordSequence:
    """The sequence without the words that are found by a word that stands alone."""
    words = tuple(tuple(word for word in place if word not in alone and not _contains_one(word, alone)) for place in sequence.words)
    return WordSequence(words, sequence.gaps)


def _factored(sequence: WordSequence) -> list[WordSequence]:
    """The sequence with a place of many words, each a beginning and an ending, as two places: 财务部, 技术部, … → 财务, 技术 + 部."""
    if not sequence.gaps:
        beginnings, endings = _factors(sequence.words[0])
        covered = {beginning + ending for beginning in beginnings for ending in endings}
        rest = tuple(word for word in sequence.words[0] if word not in covered)
        if not covered:
            return [sequence]
        parts = _factored(WordSequence((rest,))) if rest else []
        return [*parts, WordSequence((beginnings, endings), (Gap(0),))]
    words, gaps = list[tuple[str, ...]](), list[Gap]()
    for place, alternatives in enumerate(sequence.words):
        beginnings, endings = _factors(alternatives)
        whole = bool(beginnings) and len(beginnings) * len(endings) == len(alternatives)
        words += [beginnings, endings] if whole else [alternatives]
        gaps += [*([Gap(0)] if whole else []), *sequence.gaps[place : place + 1]]
    return [WordSequence(tuple(words), tuple(gaps))]


def _factors(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The beginnings and endings whose combinations make up most of the words; empty where they make up few."""
    endings_of = dict[str, list[str]]()
    for word in words:
        for cut in range(1, len(word) if _CHINESE_WORD.fullmatch(word) else 0):
            endings_of.setdefault(word[:cut], []).append(word[cut:])
    groups = dict[frozenset[str], list[str]]()
    for beginning, following in endings_of.items():
        groups.setdefault(frozenset(following), []).append(beginning)
    largest = max(groups.values(), key=lambda group: len(endings_of[group[0]]) * len(group), default=[])
    beginnings, endings = tuple(largest), tuple(endings_of[largest[0]]) if largest else ()
    is_product = len(endings) > 1 and len(beginnings) > 1 and len(endings) * len(beginnings) >= _FEWEST_FACTORED
    return (beginnings, endings) if is_product else ((), ())
