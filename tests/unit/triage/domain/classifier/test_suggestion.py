"""Rules first, then the classifier where it is sure; what it is not sure of is reviewed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.triage.domain.assess import TriageDecision, assess
from services.triage.domain.classifier.prediction import Guess, LabelPrediction, Prediction
from services.triage.domain.classifier.suggestion import is_drawn
from services.triage.domain.rule_scope import TriageContext
from shared.contracts.events.triage import Routed, RouteProposed
from tests.unit.triage.conftest import MakeComplaint, MakeRules

REVIEW = {"review": {"below": 0.8}}


@dataclass(frozen=True)
class FixedClassifier:
    guesses: Mapping[str, tuple[str, float]]
    has_evidence: bool = True

    def predict(self, title: str, text: str) -> Prediction:
        del title, text
        rest = (Guess("b", 0.02), Guess("c", 0.01))
        labels = [LabelPrediction(label, (Guess(*best), *rest), self.has_evidence) for label, best in self.guesses.items()]
        return Prediction("v1", tuple(labels))


class Decide:
    def __init__(self, rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
        self.rules, self.complaint, self.context = rules, complaint, context

    def __call__(
        self, guesses: Mapping[str, tuple[str, float]], sections: Mapping[str, Any] = REVIEW, **fields: Any
    ) -> tuple[Routed, TriageDecision]:
        context = replace(self.context, classifier=FixedClassifier(guesses))
        decision = assess(self.complaint(**fields), self.rules(**sections), context)
        return decision.routed_event(context), decision


@pytest.fixture
def decide(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> Decide:
    return Decide(rules, complaint, context)


def test_a_sure_department_is_routed_where_no_rule_routes(decide: Decide) -> None:
    event, decision = decide({"department": ("service", 0.9)})
    assert type(event) is Routed
    assert (event.department, event.rule, event.review, event.model) == ("service", "classifier", "", "v1")
    assert [(guess.value, guess.probability) for guess in event.guesses] == [("service", 0.9), ("b", 0.02), ("c", 0.01)]
    assert "department: service by model v1 with probability 0.90" in decision.evidence


@pytest.mark.parametrize("guess", [("service", 0.79), ("nowhere", 0.99)], ids=["below the confidence", "no such department"])
def test_an_unsure_department_is_reviewed_and_not_told(decide: Decide, guess: tuple[str, float]) -> None:
    event, _ = decide({"department": guess})
    assert type(event) is RouteProposed
    assert (event.department, event.review) == ("unassigned", "confidence")


def test_a_text_without_evidence_is_reviewed_however_probable_its_guess_is(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext
) -> None:
    unseen = replace(context, classifier=FixedClassifier({"department": ("service", 0.97)}, has_evidence=False))
    decision = assess(complaint(), rules(**REVIEW), unseen)
    event = decision.routed_event(unseen)
    assert (type(event), event.department, event.review) == (RouteProposed, "unassigned", "confidence")
    assert "department: the model knows no word of the text, so that a person decides" in decision.evidence


def test_rules_outrank_the_classifier(decide: Decide) -> None:
    event, decision = decide({"subject": ("fee", 0.99), "department": ("finance", 0.99)}, text="电梯坏了")
    assert (decision.subject_choice.id, event.department, event.review) == ("lift", "engineering", "")
    assert len(event.guesses) == 6


@pytest.mark.parametrize("name", ["lift", "电梯投诉"])
def test_a_sure_subject_leads_to_its_department(decide: Decide, name: str) -> None:
    subjects = [{"id": "lift", "zh": "电梯投诉", "en": "Lifts", "words": ["电梯"], "department": "engineering"}]
    event, decision = decide({"subject": (name, 0.95)}, {"subjects": subjects, **REVIEW}, text="卡在里面了")
    assert (decision.subject_choice.id, event.department, event.rule) == ("lift", "engineering", "subject lift")


def test_a_kind_that_exists_is_taken_and_another_is_reviewed(decide: Decide) -> None:
    _, decision = decide({"kind": ("risk", 0.95)})
    assert (decision.kind, decision.review) == ("risk", "")
    _, decision = decide({"kind": ("praise", 0.95)})
    assert (decision.kind, decision.review) == ("complaint", "confidence")


def test_without_a_review_entry_the_classifier_decides_nothing(decide: Decide) -> None:
    event, _ = decide({"department": ("service", 0.99)}, {})
    assert (type(event), event.department, event.review) == (RouteProposed, "unassigned", "")
    assert event.guesses[0].value == "service"


def test_a_share_of_sure_decisions_is_audited(decide: Decide) -> None:
    sections = {"review": {"below": 0.8, "audit": 0.25}}
    events = [decide({"department": ("service", 0.9)}, sections, case=f"c{number}")[0] for number in range(400)]
    assert 60 <= sum(event.review == "audit" for event in events) <= 140
    assert all(event.department == "service" for event in events)


def test_the_draw_is_exact_at_its_ends() -> None:
    assert not is_drawn("c1", 0.0)
    assert is_drawn("c1", 1.0)


def test_without_a_classifier_the_event_has_no_guesses(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    event = assess(complaint(), rules(**REVIEW), context).routed_event(context)
    assert (event.guesses, event.model, event.review) == ([], "", "")
