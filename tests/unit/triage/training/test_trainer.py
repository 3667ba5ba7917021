"""Training on the small history, and what it refuses."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from services.triage.domain.classifier.text_model import TextModel
from services.triage.training.evaluation import evaluate_model, model_probabilities
from services.triage.training.features import count_features, feature_matrix, label_weights, weigh
from services.triage.training.history import HistoryError, HistoryRow, read_history, read_names
from services.triage.training.linear_fit import fit_weights, head_margins
from services.triage.training.measures import calibration_error
from services.triage.training.trainer import TrainedModel, label_examples, train
from services.triage.training.word_discovery import discover_words
from tests.support.scenarios.triage_history import NAMES_CSV


def test_served_margins_and_probabilities_are_those_of_scikit_learn(history: list[HistoryRow], trained: TrainedModel) -> None:
    counts = count_features(history)
    examples, _ = label_examples(history, "subject")
    head = fit_weights(counts, examples)
    titles = counts.title_rows[examples.rows]
    rows = np.concatenate([examples.rows, titles[titles >= 0]])
    targets = np.concatenate([examples.targets, examples.targets[titles >= 0]])
    weights = np.where(rows < len(history), 1.0, 0.3)
    matrix = weigh(counts.model, counts.matrix[rows], label_weights(counts.matrix[rows], targets, 4))
    theirs = LinearSVC(C=0.5, class_weight="balanced", tol=3e-3, random_state=0).fit(matrix, targets, sample_weight=weights)
    assert head_margins(counts, head, examples.rows) == pytest.approx(theirs.decision_function(matrix[: len(history)]), abs=1e-6)

    served = trained.model.head("subject")
    assert served is not None
    texts = [(row.title, row.text) for row in history]
    margins = (
        weigh(trained.model, feature_matrix(trained.model, texts), served.feature_weights) @ served.weights.astype(np.float64) + served.bias
    )
    logs = np.zeros_like(margins)
    for value in range(4):
        sigmoid = LogisticRegression()
        sigmoid.classes_, sigmoid.coef_ = np.array([0, 1]), served.slopes[[value]][:, None]
        sigmoid.intercept_ = served.offsets[[value]]
        logs[:, value] = sigmoid.predict_log_proba(margins[:, [value]])[:, 1] * float(served.temperature)
    powers = np.exp(logs)
    theirs_served = powers / powers.sum(axis=1, keepdims=True)
    assert model_probabilities(trained.model, served, texts) == pytest.approx(theirs_served, abs=1e-6)


def test_the_small_history_is_learned(trained: TrainedModel) -> None:
    for label in ("subject", "department"):
        figures = trained.report["labels"][label]["cross_validated"]
        assert figures["accuracy"] > 0.6
        assert figures["accuracy"] <= figures["among_three"] <= 1


def test_training_is_repeatable(history: list[HistoryRow], trained: TrainedModel) -> None:
    again = train(history)
    texts = [(row.title, row.text) for row in history[:20]]
    assert again.model.classify(texts) == trained.model.classify(texts)
    assert again.report == trained.report


def test_names_alone_give_a_model(history: list[HistoryRow], tmp_path: Path) -> None:
    tree = tmp_path / "names.csv"
    tree.write_text(NAMES_CSV, encoding="utf-8")
    unlabelled = [HistoryRow(row.title, row.text, {}, row.group) for row in history]
    model = train(unlabelled, read_names(tree)).model
    figures = evaluate_model(model, history, "subject")
    assert figures is not None
    assert figures["accuracy"] > 0.5


def test_a_value_with_too_few_groups_is_named_and_left_out(history: list[HistoryRow]) -> None:
    rare = [HistoryRow("", f"宠物狗没有牵绳{number}", {"subject": "pets"}, "one") for number in range(5)]
    report = train([*history, *rare]).report["labels"]["subject"]
    assert report["too_rare"] == ["pets"]
    assert "pets" not in report["values"]


def test_a_history_with_one_value_is_refused() -> None:
    rows = [HistoryRow("", f"电梯停运{number}", {"subject": "lift"}, str(number)) for number in range(9)]
    with pytest.raises(HistoryError, match="no label has two values"):
        train(rows)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "line 2"),
        ('{"title": "x"}', "line 2: text"),
        ('{"text": 5}', "line 2: text"),
        ('{"text": "x", "label": 3}', "line 2: label"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(f'{{"text": "电梯停运", "label": "lift"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(HistoryError, match=fault):
        read_history(path)


def test_a_history_may_be_compressed_and_label_in_two_ways(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl.gz"
    lines = [{"text": "電梯停運", "label": "lift", "group": 7}, {"text": "太吵", "label": {"kind": "demand", "subject": None}}]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    first, second = read_history(path)
    assert (first.text, first.labels, first.group) == ("电梯停运", {"subject": "lift"}, "7")
    assert second.labels == {"kind": "demand"}


def test_words_hold_together_inside_and_vary_outside() -> None:
    texts = [f"{before}电梯{after}" for before in "我这那修装看" for after in "坏停慢快响卡"]
    assert discover_words(texts) == {"电梯"}


def test_calibration_error_of_known_bins() -> None:
    assert calibration_error(np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, True, True, False])) == pytest.approx(0.1)


def test_the_model_has_no_word_of_its_history(trained: TrainedModel, history: list[HistoryRow]) -> None:
    assert isinstance(trained.model, TextModel)
    report = json.dumps(trained.report, ensure_ascii=False)
    assert all(row.text[:6] not in report for row in history)
