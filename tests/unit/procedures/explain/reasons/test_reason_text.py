"""Every reason that a service gives has words in both languages, with names in place of ids."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from services.notify.domain.failure_reason import FailureReason
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.reasons.reason_phrases import CODES, PHRASES
from shared.procedures.explain.reasons.reason_text import reason_text

SERVICES = Path(services.__path__[0])
DECIDING = [*sorted((SERVICES / "sla/domain/lifecycle").rglob("*.py")), SERVICES / "triage/domain/routing_rules.py"]
ANSWERING = [
    *sorted((SERVICES / "sla").rglob("*.py")),
    *sorted((SERVICES / "triage").glob("api*.py")),
    SERVICES / "intake/api_dependencies.py",
]
NOT_REASONS = {
    "x causes itself without end; give a reaction or a clock on x a condition",
    "the case is not known; its registration has to come first",
    # Of parts that are listed: a finding, and one of the two remedies.
    "handle: x",
    "close: nothing has been handled since the case was registered or reopened; x",
}
"""Faults that no page shows, and texts that consist of others."""
# Of mapping a call of a contact centre, which the desk does not make.
NOT_AT_THE_DESK = {"the source has no column map", "the file cannot be read", "the signature of the call is not valid"}
NOT_AT_THE_DESK |= {"the map of the source does not fit the call"}


def literal(node: ast.AST) -> str:
    """The text of a literal, with an x for each value."""
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        return re.sub(r"^x: ", "handle: ", text)  # the action that was refused
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def reasons(path: Path) -> Iterator[str]:
    """Literals in the form of a refusal: the rule, a semicolon, the remedy; and the first argument of each refusal."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}  # type: ignore[attr-defined]
    documented |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ActionRefusal" and node.args:
            yield from filter(None, [literal(node.args[0])])
        elif id(node) not in documented | parts and re.search(r"\w; \w", literal(node)):
            yield literal(node)


def _has_docstring(node: ast.AST) -> bool:
    return isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None


def titles(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ProblemType" and len(node.args) > 2:
            yield literal(node.args[2])


def is_chinese(text: str) -> bool:
    return bool(re.search(r"[\u4e00-\u9fff]", text))


def test_every_refusal_of_an_action_and_every_route_has_chinese_words() -> None:
    given = {reason for path in DECIDING for reason in reasons(path)} - NOT_REASONS
    assert len(given) > 60
    assert sorted(reason for reason in given if not is_chinese(reason_text("zh", reason))) == []


def test_every_title_of_an_answer_that_refuses_has_chinese_words() -> None:
    given = {title for path in ANSWERING for title in titles(path)} - NOT_AT_THE_DESK
    assert len(given) > 30
    assert sorted(title for title in given if not is_chinese(reason_text("zh", title))) == []


def test_every_cause_of_a_failed_delivery_has_words_in_both_languages() -> None:
    assert {str(reason) for reason in FailureReason} <= {code for code, _, _ in CODES}
    assert reason_text("zh", "refused: 40012") == "服务商拒绝: 40012"
    assert reason_text("en", "no_address") == "no address on this channel"


def test_both_languages_use_the_same_values() -> None:
    places = re.compile(r"\{(\w+)\}")
    assert [source for source, zh in PHRASES if not set(places.findall(zh)) <= set(places.findall(source))] == []


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        ("no route applies", "没有适用的分派规则", "no route applies"),
        ("close is accepted at most 2 times", "结案最多2次", "close the case is accepted at most 2 times"),
        ("先处理 / handle it first", "先处理", "handle it first"),
        ("handle: nothing awaits this decision; submit measures first", "没有待决定的事项；请先提交", None),
        ("no route applies; passed over: repairs (absent)", "没有适用的分派规则；已跳过：repairs (absent)", None),
        ("电梯又停了", "电梯又停了", "电梯又停了"),
    ],
)
def test_names_stand_in_place_of_ids(reason: str, zh: str, en: str | None, chinese: ProcedureTexts, english: ProcedureTexts) -> None:
    assert reason_text("zh", reason, chinese) == zh
    if en is not None:
        assert reason_text("en", reason, english) == en


def test_a_long_text_of_a_person_stays_as_it_is_at_once() -> None:
    text = "x may not " * 5_000 + "; "  # matching it would take more than ten seconds
    assert reason_text("zh", text) == text
