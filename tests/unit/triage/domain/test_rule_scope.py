"""Values that conditions read, and conditions that cannot be evaluated."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.triage.domain.rule_scope import RuleScope
from shared.procedures.expressions.conditions import Condition, compile_condition
from tests.unit.triage.conftest import MakeComplaint

MakeScope = Callable[..., RuleScope]


@pytest.fixture
def scope(complaint: MakeComplaint) -> MakeScope:
    def make(*conditions: Condition, **facts: Any) -> RuleScope:
        paths = [path for condition in conditions for path in condition.paths]
        read_paths = {root: tuple(path for path in paths if path[0] == root) for root in {path[0] for path in paths}}
        return RuleScope(complaint(), facts, {"limit": 3}, ZoneInfo("Asia/Shanghai"), read_paths)

    return make


def test_condition_reads_changed_facts_and_case_fields(scope: MakeScope) -> None:
    condition = compile_condition("facts.persons >= parameters.limit && case.kind == 'risk'")
    rule_scope = scope(condition, persons=1)
    assert not rule_scope.holds(condition)
    rule_scope.set_facts({"persons": 3})
    assert not rule_scope.holds(condition)
    rule_scope.set_case_field("kind", "risk")
    assert rule_scope.holds(condition)


@pytest.mark.parametrize(("value", "type_name"), [(1, "int"), ("true", "str"), (0.5, "float")])
def test_condition_on_a_fact_that_is_not_boolean_is_rejected(scope: MakeScope, value: Any, type_name: str) -> None:
    media = compile_condition("facts.media")
    with pytest.raises(ValueError, match=f"«facts.media» gives {type_name}"):
        scope(media, media=value).holds(media)


def test_condition_on_an_undeclared_fact_cannot_be_evaluated(scope: MakeScope) -> None:
    media = compile_condition("facts.media")
    with pytest.raises(ValueError, match=r"«facts\.media» cannot be evaluated"):
        scope(media).holds(media)
    assert scope(media, media=True).holds(media)


def test_instant_has_the_offset_of_the_calendar_zone(scope: MakeScope) -> None:
    received = compile_condition("string(case.received_at) == '2026-09-24T16:40:00+08:00' && case.received_day == '2026-09-24'")
    assert scope(received).holds(received)
