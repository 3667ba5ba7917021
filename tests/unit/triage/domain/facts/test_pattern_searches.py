"""The filter of patterns: it leaves out no pattern that a text shows."""

from pathlib import Path

import pytest

from services.triage.domain.facts.pattern_filter import PatternFilter
from services.triage.domain.facts.pattern_searches import PatternSearches
from services.triage.domain.reading.reading_copy import read_text
from shared.procedures.expressions.sense import compile_patterns
from shared.procedures.loading.loader import load_procedure
from tests.support.scenarios.fact_sentences import read_sentences

ROOT = Path(__file__).parents[5]
PACKS = sorted(path.parent for path in (ROOT / "shared" / "procedures" / "packs").glob("*/procedure.yaml"))


@pytest.fixture(scope="module")
def readings() -> list[str]:
    return [read_text(sentence.text) for sentence in read_sentences(ROOT / "tests" / "procedures" / "facts" / "independent.yaml")]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_pattern_that_a_text_shows_is_possible(pack: Path, readings: list[str]) -> None:
    procedure = load_procedure(pack)
    patterns = PatternSearches(compile_patterns(procedure.patterns, procedure.cues))
    shown = {(text, name) for text in readings for name, pattern in patterns.items() if pattern.spans(text)}
    possible = {(text, name) for text in readings for name in patterns.possible(text)}
    assert shown <= possible
    assert len(possible) < len(readings) * len(patterns) / 2


def test_a_filter_without_patterns_names_none() -> None:
    assert PatternFilter([]).candidates("电梯") == []


def test_a_pattern_without_literals_is_always_possible() -> None:
    assert PatternFilter(["电梯", "[0-9]+"]).candidates("停运") == [1]
