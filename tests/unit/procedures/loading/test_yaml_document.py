"""YAML files that must not end a program: values inside themselves, deep nesting, long numbers; and the wording of wrong values."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from services.notify.providers.providers_file import provider_problems
from shared.procedures.loading.validation import validate_document
from shared.procedures.loading.yaml_document import MAX_DEPTH, read_yaml
from shared.procedures.model.procedure_error import ProcedureError
from simulator.scenario import ScenarioError, read_scenario

NESTED_ALIASES = "a0: &a0 [1]\n" + "".join(f"a{number}: &a{number} [*a{number - 1}]\n" for number in range(1, 3000))
SELF_ALIASES = ["x: 1\nproviders: &a [*a]", "x: 1\na: &a {b: *a}", "x: 1\na: &a [{b: &b [{c: *a}, *b]}]"]


def write(folder: Path, text: str) -> Path:
    file = folder / "file.yaml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("text", SELF_ALIASES)
def test_a_value_that_contains_itself_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProcedureError, match=r"file.yaml:2: contains an alias of itself; write the value out instead"):
        read_yaml(write(tmp_path, text))


def test_providers_that_contain_themselves_are_a_problem_of_the_file(tmp_path: Path) -> None:
    (problem,) = provider_problems(write(tmp_path, "providers: &a [*a]"), {})
    assert (problem.line, problem.level) == (1, "error")
    assert "contains an alias of itself" in str(problem)


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (
            "id: A B, channel: sms, kind: http_sms",
            "providers.0.id: is 'A B'; it has to be a small letter, then small letters, digits and hyphens",
        ),
        (
            "id: a, channel: sms, kind: http_sms, settings: {url: ftp://x, token_env: A}",
            "provider a, settings: url: is 'ftp://x'; it has to be an address that begins with http:// or https://",
        ),
    ],
)
def test_the_pattern_of_a_provider_is_given_in_words(entry: str, rule: str, tmp_path: Path) -> None:
    (problem,) = provider_problems(write(tmp_path, f"providers:\n- {{{entry}}}"), {})
    assert (problem.line, rule in str(problem)) == (2, True), problem


@pytest.mark.parametrize("text", ["x: 1\na: " + "[" * 100_000, "x: 1\na: " + "[" * 1000 + "]" * 1000, "- " * 10_000 + "1"])
def test_deep_nesting_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProcedureError, match=f"values are nested more than {MAX_DEPTH} deep"):
        read_yaml(write(tmp_path, text))
    with pytest.raises(ScenarioError, match=f"values are nested more than {MAX_DEPTH} deep"):
        read_scenario(write(tmp_path, text))


def test_deep_nesting_by_aliases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match=f"values are nested more than {MAX_DEPTH} deep; do not nest aliases"):
        read_yaml(write(tmp_path, NESTED_ALIASES))


def test_an_alias_that_is_used_twice_is_read_twice(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "a: &a [1]\nb: {c: *a, d: *a}")).data == {"a": [1], "b": {"c": [1], "d": [1]}}


def test_a_number_that_python_does_not_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match=r"file.yaml:1: a number of 5000 digits is too long"):
        read_yaml(write(tmp_path, "a: " + "9" * 5000))


@pytest.mark.parametrize("text", ["complaint: &a {id: *a}", "expect: &a [{case: *a}]"])
def test_a_scenario_that_contains_itself_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScenarioError):
        read_scenario(write(tmp_path, text))


class _Entry(BaseModel):
    id: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    name: Annotated[str, Field(max_length=3)] = ""
    share: Annotated[float, Field(ge=0)] = 0
    tags: Annotated[list[str], Field(min_length=1)] = Field(default_factory=list)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id: A", "id: is 'A'; it should match pattern '^[a-z]+$'"),
        ("name: long", "name: is 'long'; it should have at most 3 characters"),
        ("share: -1", "share: is -1; it should be greater than or equal to 0"),
        ("tags: []", "tags: is []; it should have at least 1 item after validation, not 0"),
    ],
)
def test_a_wrong_value_and_its_rule_are_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProcedureError) as caught:
        validate_document(_Entry, read_yaml(write(tmp_path, text)))
    assert str(caught.value.problems[0]).endswith(f":1: {message}")
