"""Conditions: the names that they read, and the values that they return."""

import re
from typing import Any

import pytest

from shared.procedures.expressions.conditions import NamePath, compile_condition, unknown_names


def read(values: dict[NamePath, Any]) -> Any:
    return values.__getitem__


def test_a_condition_names_the_paths_and_the_roots_that_it_reads() -> None:
    condition = compile_condition("last.called_back.outcome == 'facts.x' && case.kind.startsWith('a') && [1].exists(x, x == 1)")
    assert condition.paths == (("last", "called_back", "outcome"), ("case", "kind"))
    assert set(condition.root_variables) == {"last", "case"}


def test_a_condition_reads_names_and_gives_true_or_false() -> None:
    condition = compile_condition("facts.persons > 2 && complaint.complainant.kind == 'customer'")
    values = {("facts", "persons"): 3, ("complaint", "complainant", "kind"): "customer"}
    assert condition.holds(read(values))
    assert not condition.holds(read(values | {("facts", "persons"): 2}))


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_a_value_that_is_not_true_or_false_is_an_error_that_names_the_expression(value: Any) -> None:
    with pytest.raises(ValueError, match=r"«facts\.urgent» gives .*; it has to give true or false"):
        compile_condition("facts.urgent").holds(read({("facts", "urgent"): value}))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("facts.urgent ===", "Syntax error"),
        ("facts['urgent']", r"write facts\.name, not facts\[…\]"),
        ("x.matches('a'", r"x\.matches\('a'"),
    ],
)
def test_a_syntax_error_shows_its_position(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_condition(source)


@pytest.mark.parametrize(("source", "value"), [("facts.a > 3", "text"), ("6 / facts.a > 3", 0)])
def test_an_expression_that_fails_for_a_value_is_an_error_that_names_it(source: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"«{re.escape(source)}» cannot be evaluated"):
        compile_condition(source).evaluate(lambda _: value)


def test_unknown_names_are_listed_with_those_that_exist() -> None:
    facts, parameters = frozenset({"urgent"}), frozenset({"limit"})
    assert unknown_names("facts.urgnt && other", facts, parameters) == [
        "other: variables are facts, complaint, case, parameters, says, event, last, count",
        "facts.urgnt: facts has urgent",
    ]
    assert unknown_names("complaint.complainant.age == ''", facts, parameters)[0].startswith("complaint.complainant.age: complaint.comp")
    assert unknown_names("facts.urgent && case.links.exists(x, x == 'a') && parameters.limit > 1", facts, parameters) == []
