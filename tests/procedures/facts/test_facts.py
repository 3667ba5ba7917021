"""Precision and recall of the library of facts, on the author's sentences and on those of somebody who had not seen it."""

from functools import cache
from pathlib import Path

import pytest

from shared.procedures.expressions.sense import compile_patterns
from shared.procedures.fact_library.library import fact_library
from tests.bench.triage.facts import FOLDER, PAGE, page
from tests.support.scenarios.fact_sentences import FACTS, Counts, Sentence, found_in, read_own, read_sentences, score, total

# What the last run reached; the first runs stand in first_runs.yaml.
PRECISION, RECALL = 0.97, 0.95
LOWEST = {"object": (0.87, 0.88)}


@cache
def sentences(name: str) -> list[Sentence]:
    return (read_own if name == "own.yaml" else read_sentences)(Path(FOLDER) / name)


@cache
def counts() -> dict[str, Counts]:
    independent = sentences("independent.yaml")
    return score(independent, found_in(independent))


def test_the_sets_are_large_and_half_negative() -> None:
    own, independent = sentences("own.yaml"), sentences("independent.yaml")
    assert len(own) >= 300
    assert len(independent) >= 200
    for of_set in (own, independent):
        assert 0.45 <= sum(not sentence.positive for sentence in of_set) / len(of_set) <= 0.55
        assert len({sentence.text for sentence in of_set}) == len(of_set)
    assert not {sentence.text for sentence in own} & {sentence.text for sentence in independent}


def test_the_author_s_sentences_are_all_read_rightly() -> None:
    own = sentences("own.yaml")
    wrong = [line for count in score(own, found_in(own)).values() for line in count.wrong]
    assert not wrong


def test_precision_and_recall_in_all() -> None:
    whole = total(counts())
    assert whole.precision >= PRECISION
    assert whole.recall >= RECALL


@pytest.mark.parametrize("name", FACTS)
def test_precision_and_recall_of_each_fact(name: str) -> None:
    count, (precision, recall) = counts()[name], LOWEST.get(name, (0.95, 0.95))
    assert count.precision >= precision, count.wrong
    assert count.recall >= recall, count.wrong


def test_negatives_are_hard() -> None:
    """Without cues and exceptions half of the author's negatives would count."""
    bare = {name: fact.model_copy(update={"cues": [], "exceptions": [], "topic": False}) for name, fact in fact_library().facts.items()}
    patterns = compile_patterns(bare, {})
    negatives = [sentence for sentence in sentences("own.yaml") if not sentence.positive]
    shown = sum(bool(patterns[next(iter(sentence.facts))].hits(sentence.text)) for sentence in negatives)
    assert shown >= len(negatives) * 0.45


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.bench.triage.facts --write"
