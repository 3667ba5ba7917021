"""Served probabilities, guesses and explanations."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.triage.domain.classifier.explanation import explain, strongest
from services.triage.domain.classifier.text_model import GUESSES, TextModel
from services.triage.training.trainer import TrainedModel

WORDS = st.lists(st.sampled_from(["电梯停运", "物业费", "lift", "noise", "草坪", "半夜", "收费不合理", "zzz", "。", " "]), max_size=20).map(
    "".join
)
ANY_FIXTURE = [HealthCheck.function_scoped_fixture]


@settings(max_examples=50, deadline=None, suppress_health_check=ANY_FIXTURE)
@given(title=WORDS, text=WORDS)
def test_contributions_add_up_to_the_margin(model: TextModel, title: str, text: str) -> None:
    for entry in explain(model, title, text):
        assert entry.bias + sum(part.contribution for part in entry.contributions) == pytest.approx(entry.margin, abs=1e-9)


@settings(max_examples=50, deadline=None, suppress_health_check=ANY_FIXTURE)
@given(texts=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=70))
def test_a_text_is_classified_alike_in_any_batch(model: TextModel, texts: list[tuple[str, str]]) -> None:
    batch = model.classify(texts)
    for place in (0, len(texts) - 1):
        for together, alone in zip(batch[place], model.classify([texts[place]])[0], strict=True):
            assert [g.probability for g in together.guesses] == pytest.approx([g.probability for g in alone.guesses], abs=1e-9)


def test_probabilities_add_up_to_one_and_the_best_comes_first(model: TextModel) -> None:
    for head in model.heads:
        margins = model.margins(head, model.count_features([("电梯", "电梯停运"), ("", "")]))
        assert head.probabilities(margins).sum(axis=1) == pytest.approx([1.0, 1.0])
    (labels,) = model.classify([("电梯停运", "3号楼电梯又停运了")])
    for prediction in labels:
        probabilities = [guess.probability for guess in prediction.guesses]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len(prediction.guesses) == GUESSES


@pytest.mark.parametrize(("title", "text"), [("", ""), ("ΩΨΞ", "ΩΨΞ ЖЩЮ"), ("", "。\n!?"), ("。", "ΩΨΞ\n。 ЖЩЮ!")])
def test_a_text_that_the_model_knows_no_word_of_gets_the_prior_probabilities(model: TextModel, title: str, text: str) -> None:
    (labels,) = model.classify([(title, text)])
    for head, prediction in zip(model.heads, labels, strict=True):
        assert not prediction.has_evidence
        assert [guess.probability for guess in prediction.guesses] == sorted(head.priors.tolist(), reverse=True)[:GUESSES]


def test_the_prior_probabilities_are_the_shares_in_the_history(trained: TrainedModel) -> None:
    for head in trained.model.heads:
        messages = trained.report["labels"][head.label]["values"]
        number = sum(messages.values())
        assert head.priors.sum() == pytest.approx(1)
        assert head.priors == pytest.approx([messages[value] / number for value in head.values], abs=2 / number)
        assert head.priors.max() <= max(messages.values()) / number


def test_one_known_word_among_unknown_ones_is_evidence(model: TextModel) -> None:
    unknown, known = model.classify([("", "ΩΨΞ ЖЩЮ"), ("", "ΩΨΞ 电梯 ЖЩЮ")])
    assert [prediction.has_evidence for prediction in (*unknown, *known)] == [False, False, True, True]
    assert known[0].best.probability > unknown[0].best.probability


@pytest.mark.parametrize(
    ("title", "text", "subject"),
    [
        ("", "我家楼下电梯坏了，停运三天", "lift"),
        ("", "楼上邻居半夜太吵", "noise"),
        ("", "The elevator buttons are broken", "lift"),
        ("停车费", "", "fee"),
        ("", "nobody waters the lawn", "garden"),
    ],
)
def test_subject_of_texts_in_other_words(model: TextModel, title: str, text: str, subject: str) -> None:
    (labels,) = model.classify([(title, text)])
    assert {prediction.label: prediction.best.value for prediction in labels}["subject"] == subject


def test_the_strongest_ngrams_are_words_of_the_text(model: TextModel) -> None:
    (entry,) = [entry for entry in explain(model, "", "物业费多收了，请处理") if entry.prediction.label == "subject"]
    words = strongest(entry, 3)
    assert any("费" in word or "收" in word for word in words)
