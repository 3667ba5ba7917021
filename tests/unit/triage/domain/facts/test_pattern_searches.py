"""The text patterns of a procedure are searched where they may match, and nowhere is a match left out."""

from pathlib import Path

import pytest

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
def test_the_parts_of_a_text_hold_every_hit_of_a_pattern(pack: Path, readings: list[str]) -> None:
    procedure = load_procedure(pack)
    patterns = PatternSearches(compile_patterns(procedure.patterns, procedure.cues))
    searched = 0
    for text in readings:
        windows = patterns.windows(text)
        searched += len(windows)
        for name, pattern in patterns.items():
            assert list(pattern.all_hits(text, windows.get(name, []))) == list(pattern.all_hits(text)), (name, text)
    assert searched < len(readings) * len(patterns) / 2
