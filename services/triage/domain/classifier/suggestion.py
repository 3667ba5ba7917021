"""Decides by the classifier's guesses where no rule does, and picks the cases that a person reviews."""

from collections.abc import Container
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from services.triage.domain.classifier.prediction import Guess, Prediction
from shared.procedures.model.triage.entries import ReviewRule

RULE: Final = "classifier"
"""The `rule` of a route that the classifier decided."""
NO_EVIDENCE: Final = "the model knows no word of the text, so that a person decides"
_DRAWS: Final = 1_000_000
ReviewReason = Literal["", "confidence", "audit"]


@dataclass(frozen=True, slots=True)
class UsedGuess:
    """A guess that was asked for because no rule decided; `decides` if the text shows it as surely as the procedure demands."""

    label: str
    guess: Guess
    decides: bool
    has_evidence: bool = True


class Suggestions:
    """The prediction for one complaint, and which guesses were used; without a `review` entry of the procedure none decides."""

    def __init__(self, case: str, prediction: Prediction | None, rule: ReviewRule | None) -> None:
        self._case = case
        self._prediction = prediction
        self._rule = rule
        self.used: list[UsedGuess] = []

    @property
    def prediction(self) -> Prediction | None:
        """The prediction, None without a classifier."""
        return self._prediction

    def decide(self, label: str, allowed: Container[str] | None = None) -> str:
        """The value of a label, empty if there is none that is sure enough; `allowed` holds the values that exist here, None: any."""
        predicted = None if self._prediction is None else self._prediction.of_label(label)
        if predicted is None or self._rule is None:
            return ""
        guess, exists = predicted.best, allowed is None or predicted.best.value in allowed
        # Also where the prior reaches the confidence: what most messages are about says nothing of this one.
        decides = predicted.has_evidence and exists and guess.probability >= self._rule.below
        used = UsedGuess(label, guess, decides, predicted.has_evidence)
        self.used.append(used)
        return guess.value if used.decides else ""

    def evidence(self) -> list[str]:
        """A line for each guess that decided or had no evidence; without n-grams, which may be parts of names."""
        version = "" if self._prediction is None else self._prediction.version
        return [
            f"{used.label}: {used.guess.value} by model {version} with probability {used.guess.probability:.2f}"
            if used.decides
            else f"{used.label}: {NO_EVIDENCE}"
            for used in self.used
            if used.decides or not used.has_evidence
        ]

    def review(self) -> ReviewReason:
        """Return the reason why a person reviews the case; empty if no one does."""
        if any(not used.decides for used in self.used):
            return "confidence"
        return "audit" if self.used and self._rule is not None and is_drawn(self._case, self._rule.audit) else ""


def is_drawn(case: str, share: float) -> bool:
    """Whether a case belongs to the share that is reviewed anyway: by a hash of its id, so that a repeated decision draws the same."""
    return int.from_bytes(sha256(f"audit:{case}".encode()).digest()[:8]) % _DRAWS < share * _DRAWS
