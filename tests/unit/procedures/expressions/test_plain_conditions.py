"""A plain condition has the value that CEL gives, or leaves it to CEL."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.procedures.expressions.conditions import UnevaluableConditionError, compile_condition
from shared.procedures.expressions.plain_conditions import UnclearValueError, plain_condition
from shared.procedures.loading.loader import load_procedure

ROOT = Path(__file__).parents[4]
CONDITIONS = [
    "facts.a",
    "!facts.a && facts.b || facts.c == 'x'",
    "facts.a == facts.b",
    "facts.a != '' && (facts.b > 3 || facts.c <= 3)",
    "!(facts.a || facts.b)",
    "facts.a == true",
    "facts.a.startsWith('x') && complaint.text.matches('电梯|停水')",
    "facts.a.contains('x') || facts.b.endsWith('x')",
    "facts.a > 1 || facts.b == 1",
    "facts.a in ['x', 'ax'] && event.b == 'x'",
    "facts.a in facts.b || last.closed.c == ''",
    "size(facts.a) > 1 && count.closed == 0",
    "size(facts.a) == size(facts.b)",
]
VALUES = st.one_of(
    st.booleans(), st.integers(-5, 5), st.sampled_from(["", "x", "ax", "xa", "3", "电梯"]), st.none(), st.lists(st.sampled_from(["x", 1]))
)


@pytest.mark.parametrize("source", CONDITIONS)
@given(values=st.fixed_dictionaries(dict.fromkeys("abc", VALUES)), text=st.sampled_from(["", "电梯停运", "停水了"]))
def test_the_value_is_that_of_cel(source: str, values: dict[str, Any], text: str) -> None:
    condition = compile_condition(source)
    assert condition.plain is not None

    def read(path: tuple[str, ...]) -> Any:
        return {"complaint": text, "count": 0}.get(path[0], values.get(path[-1]))

    try:
        value = condition.plain(read)
    except UnclearValueError:
        return
    assert condition.holds(read) is value


@pytest.mark.parametrize("value", [None, 1, "true"])
def test_a_value_that_is_not_true_or_false_is_left_to_cel(value: object) -> None:
    condition = plain_condition("facts.a && facts.b")
    assert condition is not None
    with pytest.raises(UnclearValueError):
        condition(lambda _: value)
    with pytest.raises(UnevaluableConditionError):
        compile_condition("facts.a && facts.b").holds(lambda _: value)


@pytest.mark.parametrize(
    "source",
    [
        "facts.a in ['x', 1]",
        "facts.a in []",
        "facts.a in ['x'",
        "facts.a in ['x'] == facts.b",
        "facts.a ? facts.b : facts.c",
        "facts.a > 0.0",
        "size(facts.a",
        "size(facts.a, facts.b) > 1",
        "last > 1",
        "facts.a == 'it\\'s'",
        "complaint.against.exists(a, a == 'x')",
        "facts.a - 1 > 2",
        "facts.a.size() > 1",
        "facts.a == 1 == true",
        "facts['a']",
        "facts.a &&",
        "(facts.a",
        "a",
        "complaint.text.matches('(')",
    ],
)
def test_other_syntax_is_left_to_cel(source: str) -> None:
    assert plain_condition(source) is None


def test_most_conditions_of_packs_are_plain() -> None:
    packs = [load_procedure(path.parent) for path in (ROOT / "shared" / "procedures" / "packs").glob("*/procedure.yaml")]
    sources = {entry.when for pack in packs for entry in pack.derived} | {entry.when or "true" for pack in packs for entry in pack.classes}
    plain = [source for source in sources if plain_condition(source) is not None]
    assert len(plain) > 0.9 * len(sources)
