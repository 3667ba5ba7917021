"""Our `matches` finds what CEL's finds."""

import cel
import pytest

from shared.procedures.expressions.conditions import compile_condition
from shared.procedures.expressions.pattern_search import compile_expression, program_with_cached_patterns, register_functions

TEXTS = ["", "电梯停运", "老人ABC摔倒", "停水了", "a.matches(b)", "第一行\n第二行", "电 梯"]
PATTERNS = ["电梯.{0,6}(停运|坏)", "索赔|(?i)abc", "^停[水电]了$", "[a-z]+", "第.行$", "(?m)行$", r"\\d", "", "a\\\\.matches"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("form", ["complaint.text.matches('{}')", "(complaint.text + '').matches( '{}') || complaint.text == '.matches('"])
def test_both_find_the_same(pattern: str, form: str) -> None:
    condition = compile_condition(form.format(pattern))
    for text in TEXTS:
        context = cel.Context(variables={"complaint": {"text": text}})
        assert program_with_cached_patterns(condition).execute(register_functions(context)) == condition.program.execute(
            {"complaint": {"text": text}}
        ), text


def test_a_condition_without_a_search_keeps_its_program() -> None:
    condition = compile_condition("complaint.text == 'x'")
    assert program_with_cached_patterns(condition) is condition.program


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if "\\" not in pattern])
def test_a_condition_that_is_one_search_finds_the_same_without_cel(pattern: str) -> None:
    found = compile_expression(f"complaint.text.matches('{pattern}')")
    assert found.text_search is not None
    for text in TEXTS:
        assert found.text_search(text) == found.condition.program.execute({"complaint": {"text": text}}), text


@pytest.mark.parametrize(
    "source",
    [
        "complaint.text.matches('a') || complaint.text.matches('b')",
        "!complaint.text.matches('a')",
        "complaint.title.matches('a')",
        r"complaint.text.matches('\\d')",
        "complaint.text.matches('(')",
        "facts.a.matches('b')",
        "facts.a == 'b'",
    ],
)
def test_a_condition_that_says_more_is_left_to_cel(source: str) -> None:
    found = compile_expression(source)
    assert (found.text_search, found.single_fact) == (None, "")


def test_a_condition_names_the_roots_that_it_reads() -> None:
    assert set(compile_expression("size(facts) > 0 && case.kind == 'facts.x' && [1].exists(x, x == 1)").root_variables) == {"facts", "case"}
    assert (compile_expression("facts.media").single_fact, compile_expression("facts.media").root_variables) == ("media", ("facts",))
