"""Our `matches` finds what CEL's finds."""

import cel
import pytest

from shared.procedures.conditions import compiled
from shared.procedures.matching import prepared, program

TEXTS = ["", "电梯停运", "老人ABC摔倒", "停水了", "a.matches(b)", "第一行\n第二行", "电 梯"]
PATTERNS = ["电梯.{0,6}(停运|坏)", "索赔|(?i)abc", "^停[水电]了$", "[a-z]+", "第.行$", "(?m)行$", r"\\d", "", "a\\\\.matches"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("form", ["complaint.text.matches('{}')", "(complaint.text + '').matches( '{}') || complaint.text == '.matches('"])
def test_both_find_the_same(pattern: str, form: str) -> None:
    condition = compiled(form.format(pattern))
    for text in TEXTS:
        context = cel.Context(variables={"complaint": {"text": text}})
        assert program(condition).execute(prepared(context)) == condition.program.execute({"complaint": {"text": text}}), text


def test_a_condition_without_a_search_keeps_its_program() -> None:
    condition = compiled("complaint.text == 'x'")
    assert program(condition) is condition.program
