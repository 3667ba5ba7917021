"""What a condition reads is what is true when it is asked."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.triage.domain.rule_scope import RuleScope
from shared.procedures.expressions.matching import CompiledExpression, compile_expression
from tests.unit.triage.conftest import MakeComplaint

MakeScope = Callable[..., RuleScope]


@pytest.fixture
def scope(complaint: MakeComplaint) -> MakeScope:
    def make(*conditions: CompiledExpression, **facts: Any) -> RuleScope:
        paths = [path for condition in conditions for path in condition.condition.paths]
        reads = {root: tuple(path for path in paths if path[0] == root) for root in {path[0] for path in paths}}
        return RuleScope(complaint(), facts, {"limit": 3}, ZoneInfo("Asia/Shanghai"), reads)

    return make


def test_facts_and_decisions_are_read_anew_once_they_change(scope: MakeScope) -> None:
    both = compile_expression("facts.persons >= parameters.limit && case.kind == 'risk'")
    found = scope(both, persons=1)
    assert not found.holds(both)
    found.set_facts({"persons": 3})
    assert not found.holds(both)
    found.set_case_field("kind", "risk")
    assert found.holds(both)


@pytest.mark.parametrize(("value", "said"), [(1, "int"), ("true", "str"), (0.5, "float")])
def test_a_fact_that_is_not_true_or_false_is_no_condition(scope: MakeScope, value: Any, said: str) -> None:
    media = compile_expression("facts.media")
    with pytest.raises(ValueError, match=f"«facts.media» gives {said}"):
        scope(media, media=value).holds(media)


def test_a_fact_that_nobody_declares_cannot_be_evaluated(scope: MakeScope) -> None:
    media = compile_expression("facts.media")
    with pytest.raises(ValueError, match=r"«facts\.media» cannot be evaluated"):
        scope(media).holds(media)
    assert scope(media, media=True).holds(media)


def test_an_instant_is_read_with_the_offset_of_the_calendars_zone(scope: MakeScope) -> None:
    received = compile_expression("string(case.received_at) == '2026-09-24T16:40:00+08:00' && case.received_day == '2026-09-24'")
    assert scope(received).holds(received)
