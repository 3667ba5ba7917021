"""`matches` in conditions agrees with CEL's own method, in time linear in the text."""

import time

import pytest

from shared.procedures.expressions.cel_library import cel
from shared.procedures.expressions.conditions import compile_condition
from shared.procedures.expressions.pattern_search import compile_pattern, rename_matches

TEXTS = ["", "电梯停运", "老人ABC摔倒", "停水了", "a.matches(b)", "第一行\n第二行", "电 梯"]
PATTERNS = ["电梯.{0,6}(停运|坏)", "索赔|(?i)abc", "^停[水电]了$", "[a-z]+", "第.行$", "(?m)行$", r"\\d", "", "a\\\\.matches"]
LONGEST_TEXT = 20_000


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("form", ["complaint.text.matches('{}')", "(complaint.text + '').matches( '{}') || complaint.text == '.matches('"])
def test_matches_agrees_with_the_method_of_the_library(pattern: str, form: str) -> None:
    source = form.format(pattern)
    library, condition = cel.compile(source), compile_condition(source)
    for text in TEXTS:
        assert condition.evaluate(lambda _, text=text: text) == library.execute({"complaint": {"text": text}}), text  # type: ignore[misc]


def test_a_text_literal_that_contains_a_call_of_matches_stays_unchanged() -> None:
    assert rename_matches("""a.matches('x') && b == '.matches(' && c == ".matches(" """) == (
        """a.text_matches('x') && b == '.matches(' && c == ".matches(" """
    )


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if "\\" not in pattern])
def test_a_search_finds_the_same_without_cel(pattern: str) -> None:
    condition = compile_condition(f"complaint.text.matches('{pattern}')")
    assert condition.plain is not None
    for text in TEXTS:
        assert condition.plain(lambda _, text=text: text) is condition.holds(lambda _, text=text: text), text  # type: ignore[misc]


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{2000}"])
def test_a_pattern_that_re2_cannot_read_is_an_error_with_a_remedy(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is not valid: .*; write it in RE2 syntax"):
        compile_pattern(pattern)
    literal = pattern.replace("\\", "\\\\")
    with pytest.raises(ValueError, match=r"cannot be evaluated: .* is not valid: .*; write it in RE2 syntax"):
        compile_condition(f"complaint.text.matches('{literal}')").evaluate(lambda _: "text")


def test_character_classes_are_those_of_ascii_and_letters_have_no_case() -> None:
    assert not compile_pattern(r"\d|\w|\s")("１２　电梯")
    assert compile_pattern("(?i)café")("CAFÉ")


@pytest.mark.parametrize("pattern", ["(电梯)+.*(停运|坏)+$", "(电梯.*)*赔偿", "电.*梯.*停.*运.*$"])
def test_a_search_in_a_hostile_text_takes_milliseconds(pattern: str) -> None:
    """`re` did not finish the first of these within ten minutes."""
    search, text = compile_pattern(pattern), "电梯" * (LONGEST_TEXT // 2)
    begun = time.thread_time()
    assert not search(text)
    assert time.thread_time() - begun < 1
