"""Decisions on reviews measure the classifier: right guesses, agreement and calibration error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.application.reviews.measuring import agreement
from services.sla.domain.lifecycle.reviews.judgement import calibration_error, judged_guesses, lowest_confidence
from services.sla.storage.reviews.review_figures import DecidedReview
from tests.unit.sla.timeline import small_procedure

PROCEDURE = small_procedure("subjects: [{id: lift, zh: 电梯, en: Lifts}]\nclocks: []\n")
GUESSES = [
    {"label": "subject", "value": "电梯", "probability": 0.7},
    {"label": "subject", "value": "其他", "probability": 0.3},
    {"label": "department", "value": "works", "probability": 0.6},
    {"label": "urgency", "value": "high", "probability": 0.9},
]


def test_only_first_guesses_of_decided_labels_are_judged_by_id_or_title() -> None:
    decided = {"subject": "lift", "department": "gardens", "guesses": GUESSES}
    assert judged_guesses(decided, PROCEDURE) == [
        {"label": "subject", "probability": 0.7, "right": True},
        {"label": "department", "probability": 0.6, "right": False},
    ]
    assert lowest_confidence({"guesses": GUESSES}) == 0.6
    assert lowest_confidence({}) == 0


def test_agreement_is_counted_by_reason() -> None:
    decided = [DecidedReview("audit", agreed, []) for agreed in (True, True, True, False)]
    assert agreement(decided) == {("audit",): 0.75}
    assert agreement([*decided, DecidedReview("confidence", agreed=False, checks=[])])["confidence",] == 0


@pytest.mark.parametrize(
    ("judged", "error"),
    [([], None), ([(1.0, True)], 0), ([(0.9, True), (0.9, False)], 0.4), ([(0.5, True), (0.5, False), (0.97, True)], 0.01)],
)
def test_calibration_error(judged: list[tuple[float, bool]], error: float | None) -> None:
    assert calibration_error(judged) == (None if error is None else pytest.approx(error))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_calibration_error_is_a_share_and_does_not_depend_on_the_order(judged: list[tuple[float, bool]]) -> None:
    error = calibration_error(judged)
    assert error is not None
    assert 0 <= error <= 1 + 1e-9
    assert calibration_error(reversed(judged)) == pytest.approx(error)
