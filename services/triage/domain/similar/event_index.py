"""Remembers fingerprints of texts, and finds the event that a new one describes in other words.

What is found depends on the order of the texts alone: the same order after a restart gives the same events.
"""

from array import array
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from heapq import nlargest, nsmallest
from math import log, sqrt
from operator import itemgetter

from services.triage.domain.similar.fingerprints import Fingerprint, gram_weight
from services.triage.domain.similar.places import Places, common_place

_RAREST = 48
_CANDIDATES = 30
_EXPLAINED = 8


@dataclass(frozen=True, slots=True)
class Nearness:
    """Thresholds for two texts about the same event: `threshold` if both name a common place, `anywhere` if one names none.

    `title` is the weight of the greater share of one text's title, by rarity, that the other text contains.
    """

    threshold: float
    anywhere: float
    window: timedelta
    max_texts: int
    title: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """The remembered text that is nearest to a new one, and why: shared n-grams as (hash, weight) and the place in common."""

    case: str
    event: str
    similarity: float
    grams: tuple[tuple[int, float], ...]
    place: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """A text in the index; `number` rises with each text, `event` is the event that it was found to describe."""

    number: int
    event: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class _Text:
    event: str
    case: str
    at: float
    grams: "array[int]"
    places: Places


class EventIndex:
    """An inverted index over the texts of the window, at most `max_texts`; the oldest is forgotten first.

    Changes are kept until `confirm`, so that `undo` can take them back when the transaction that stored them failed; `owner` made them.
    """

    def __init__(self, nearness: Nearness) -> None:
        self.nearness = nearness
        self.last_number = 0
        self.added: list[Remembered] = []
        self.owner: object = None
        self._texts: dict[int, _Text] = {}
        self._numbers: dict[str, int] = {}
        self._latest = 0.0
        self._postings: dict[int, array[int]] = {}
        self._forgotten: dict[int, _Text] = {}
        self._confirmed = (0, 0.0)

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def oldest(self) -> int:
        """The number of the oldest remembered text; behind the last one without any."""
        return next(iter(self._texts), self.last_number + 1)

    def event_of(self, case: str) -> str:
        """The event of a remembered case; empty for another one."""
        number = self._numbers.get(case)
        return "" if number is None else self._texts[number].event

    def nearest(self, fingerprint: Fingerprint) -> Match | None:
        """The remembered text that describes the same event, None if none is near enough."""
        rarity = {gram >> 1: gram_weight(gram) * self._rarity(gram >> 1) for gram in fingerprint.grams}
        length = sqrt(sum(weight * weight for weight in rarity.values()))
        title = {gram >> 1: self._rarity(gram >> 1) ** 2 for gram in fingerprint.grams if gram & 1} if self.nearness.title else {}
        best: tuple[float, int, str] | None = None
        # Candidates share many of their n-grams, whose weights are computed once.
        weights: dict[int, float] = {}
        for number in self._candidates(rarity, fingerprint):
            text = self._texts[number]
            place = common_place(fingerprint.places, text.places)
            if place is None:
                continue
            similarity = self._similarity(rarity, length, text, weights)
            if self.nearness.title:
                similarity += self.nearness.title * self._title_share(rarity, title, text)
            needed = self.nearness.threshold if place else self.nearness.anywhere
            if similarity >= needed and (best is None or (similarity, number) > best[:2]):
                best = similarity, number, place
        return None if best is None else self._match(rarity, length, *best)

    def add(self, remembered: Remembered) -> None:
        """Remember a text, an earlier one of the same case no longer, nor those that are older than the window or too many."""
        fingerprint, number = remembered.fingerprint, remembered.number
        if fingerprint.case in self._numbers:
            self._forget(self._numbers[fingerprint.case])
        at, grams = fingerprint.received_at.timestamp(), array("I", fingerprint.grams)
        self._insert(number, _Text(remembered.event, fingerprint.case, at, grams, fingerprint.places))
        self.added.append(remembered)
        self.last_number = number
        self._latest = max(self._latest, at)
        # Twice the window: a text that comes late still finds its neighbours.
        earliest = self._latest - 2 * self.nearness.window.total_seconds()
        while self._texts and (len(self._texts) > self.nearness.max_texts or self._texts[self.oldest].at < earliest):
            self._forget(self.oldest)

    def forget_before(self, number: int) -> None:
        """Forget the texts that another process forgot, whose numbers are lower."""
        while self._texts and self.oldest < number:
            self._forget(self.oldest)

    def confirm(self) -> None:
        """Keep the changes: they are stored."""
        self.added, self._forgotten = [], {}
        self._confirmed = self.last_number, self._latest

    def undo(self) -> None:
        """Take back the changes since the last `confirm`."""
        added, forgotten = self.added, self._forgotten
        for remembered in added:
            if remembered.number in self._texts:
                self._forget(remembered.number)
        for number in sorted(forgotten.keys() - {remembered.number for remembered in added}):
            self._insert(number, forgotten[number])
        self._texts = dict(sorted(self._texts.items()))
        self.last_number, self._latest = self._confirmed
        self.confirm()

    def _insert(self, number: int, text: _Text) -> None:
        self._texts[number] = text
        self._numbers[text.case] = number
        for gram in text.grams:
            self._postings.setdefault(gram >> 1, array("I")).append(number)

    def _forget(self, number: int) -> None:
        text = self._forgotten[number] = self._texts.pop(number)
        del self._numbers[text.case]
        for gram in text.grams:
            postings = self._postings[gram >> 1]
            postings.remove(number)
            if not postings:
                del self._postings[gram >> 1]

    def _rarity(self, gram: int) -> float:
        """The inverse document frequency among the remembered texts; 0 for an n-gram that no other text has."""
        known = len(self._postings.get(gram, ()))
        return log((2 + len(self._texts)) / (1 + known)) + 1

    def _candidates(self, rarity: dict[int, float], fingerprint: Fingerprint) -> list[int]:
        """The texts of the window that share most of the rarest n-grams."""
        window, at = self.nearness.window.total_seconds(), fingerprint.received_at.timestamp()
        known = [gram for gram in rarity if gram in self._postings]
        shared: defaultdict[int, float] = defaultdict(float)
        for gram in nsmallest(_RAREST, known, key=lambda gram: (len(self._postings[gram]), gram)):
            weight = rarity[gram] ** 2
            for number in self._postings[gram]:
                shared[number] += weight
        in_window = (
            item for item in shared.items() if abs(self._texts[item[0]].at - at) <= window and self._texts[item[0]].case != fingerprint.case
        )
        return [number for number, _ in nlargest(_CANDIDATES, in_window, key=lambda item: (item[1], item[0]))]

    def _similarity(self, rarity: dict[int, float], length: float, text: _Text, weights: dict[int, float]) -> float:
        shared, other = 0.0, 0.0
        for gram in text.grams:
            weight = weights.get(gram)
            if weight is None:
                weight = weights[gram] = gram_weight(gram) * self._rarity(gram >> 1)
            other += weight * weight
            if (own := rarity.get(gram >> 1)) is not None:
                shared += own * weight
        return shared / (length * sqrt(other)) if other else 0.0

    def _title_share(self, rarity: dict[int, float], title: dict[int, float], text: _Text) -> float:
        """How much of one title the other text contains, the greater of both shares: a long text hides what a title states in full."""
        own = sum(title.get(gram >> 1, 0.0) for gram in text.grams)
        other, shared = 0.0, 0.0
        for gram in text.grams:
            if gram & 1:
                weight = self._rarity(gram >> 1) ** 2
                other += weight
                if gram >> 1 in rarity:
                    shared += weight
        return max(own / sum(title.values()) if title else 0.0, shared / other if other else 0.0)

    def _match(self, rarity: dict[int, float], length: float, similarity: float, number: int, place: str) -> Match:
        text = self._texts[number]
        shared = [(gram >> 1, rarity[gram >> 1] ** 2 / length**2) for gram in text.grams if gram >> 1 in rarity]
        heaviest = sorted(shared, key=itemgetter(1, 0), reverse=True)[:_EXPLAINED]
        return Match(text.case, text.event, similarity, tuple(heaviest), place)
