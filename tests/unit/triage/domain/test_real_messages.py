"""Decisions on real messages do not depend on where the filter of patterns searches."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.triage.domain.assess import assess
from services.triage.domain.compiled_rules import TriageRules, compile_rules
from services.triage.domain.rule_scope import TriageContext
from services.triage.training.history import HistoryRow, read_history
from shared.procedures.expressions.pattern_filter import PatternFilter, Span
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation
from tests.support.messaging.sample_organisation import sample_complaint
from tests.support.repository import PROJECT

DATA = PROJECT.parent / "shared" / "data" / "messages.labelled.jsonl.gz"
CONTEXT = TriageContext(datetime(2026, 9, 24, 9, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
MESSAGES = 2_000


def events(row: HistoryRow, rules: TriageRules) -> list[dict[str, Any]]:
    """What triage publishes on a message: facts with their words, evidence, kind, class, subject and route."""
    complaint = sample_complaint("c", CONTEXT.at, title=row.title, text=row.text)
    return [event.model_dump(mode="json") for event in assess(complaint, rules, CONTEXT).events(None, CONTEXT)]


@pytest.mark.timeout(300)
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data/messages.labelled.jsonl.gz, which has no licence and is not kept here")
def test_decisions_are_those_of_a_search_in_the_whole_text(monkeypatch: pytest.MonkeyPatch) -> None:
    packs = Path(PROJECT) / "shared" / "procedures" / "packs"
    rules = [
        compile_rules(bind_parameters(load_procedure(packs / name), allow_unset=True), Organisation(id="o"))
        for name in ("hunan-property", "property-three-class", "grievance-system")
    ]
    rows = read_history(DATA)
    chosen = rows[:: len(rows) // MESSAGES][:MESSAGES]
    assert len(chosen) == MESSAGES
    filtered = [events(row, rules[number % len(rules)]) for number, row in enumerate(chosen)]

    def everywhere(self: PatternFilter, text: str) -> dict[int, list[Span]]:
        return {number: [(0, len(text))] for number in range(self.number)}

    monkeypatch.setattr(PatternFilter, "windows", everywhere)
    assert [events(row, rules[number % len(rules)]) for number, row in enumerate(chosen)] == filtered
    assert sum(bool(published[0]["found"]) for published in filtered) > MESSAGES / 4
