"""The decision on a review: its best guesses, and what the form sends."""

from services.desk.domain.review_decision import best_guesses, review_decision


def guess(label: str, value: str, probability: float) -> dict[str, object]:
    return {"label": label, "value": value, "probability": probability}


def test_three_best_guesses_of_each_label_the_department_first() -> None:
    guesses = [guess("kind", "complaint", 0.9), guess("tone", "angry", 0.5)]
    guesses += [guess("department", name, share) for name, share in (("a", 0.1), ("b", 0.4), ("c", 0.3), ("d", 0.2))]
    best = best_guesses(guesses)
    assert list(best) == ["department", "kind", "tone"]
    assert [each["value"] for each in best["department"]] == ["b", "c", "d"]
    assert best_guesses([]) == {}


def test_another_value_goes_before_the_guess_and_other_labels_stand_apart() -> None:
    values = {"guess.department": "repairs", "other.department": " gardens ", "guess.tone": "angry", "other.kind": "", "text": "园林负责"}
    assert review_decision(values) == {"department": "gardens", "labels": {"tone": "angry"}, "text": "园林负责"}


def test_without_a_value_the_decision_confirms() -> None:
    assert review_decision({"csrf": "x", "form": "y", "other.department": " "}) == {"confirm": True}
