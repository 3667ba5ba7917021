"""The form of every action of the contracts is made from their schema, and reads back what was typed."""

from datetime import UTC
from typing import Any

import pytest

from services.desk.pages.case.action_fields import ActionField, action_fields
from services.desk.pages.case.action_values import PREFIX, FieldFaultsError, read_action
from services.desk.pages.shell.words import LANGUAGES, words
from shared.contracts.actions import ACTION_DEFINITIONS, Action

FREE: dict[str, Any] = {"needs": [], "reasons": [], "clocks": [], "depends_on": []}
TYPED = {
    "line": "x",
    "text": "x",
    "lines": "a\n\nb",
    "text_pairs": "a: 1",
    "pairs": "a: 1\nb：yes",
    "instant": "2026-09-24T16:40",
    "number": "3",
    "yes_no": "no",
}
READ = {
    "text_pairs": {"a": "1"},
    "lines": ["a", "b"],
    "pairs": {"a": 1, "b": "yes"},
    "instant": "2026-09-24T16:40:00+00:00",
    "number": 3,
    "yes_no": False,
}


def typed(field: ActionField) -> str:
    return field.options[0] if field.kind == "choice" else TYPED[field.kind]


@pytest.mark.parametrize("action", ACTION_DEFINITIONS)
def test_a_filled_form_fits_the_contract_and_every_label_has_words(action: str) -> None:
    fields = action_fields(action, FREE, {})
    definition = ACTION_DEFINITIONS[action]
    assert {field.name for field in fields} >= {*definition.required_data, *definition.one_of}
    form = {PREFIX + field.name: [typed(field)] for field in fields}
    body = read_action("c", action, fields, form, UTC)
    assert body["data"] == {field.name: READ.get(field.kind, typed(field)) for field in fields}
    Action.model_validate({"case": "c", **body})
    for language in LANGUAGES:
        assert {f"data.{field.name}" for field in fields} <= set(words(language))
        options = {f"option.{option}" for field in fields for option in field.options}
        assert options <= set(words(language))


@pytest.mark.parametrize("action", ACTION_DEFINITIONS)
def test_an_empty_form_names_each_required_field(action: str) -> None:
    fields = action_fields(action, FREE, {})
    required = {field.name for field in fields if field.required}
    one_of = next((field.name for field in fields if field.one_of), None)
    if not required and one_of is None:
        assert read_action("c", action, fields, {}, UTC)["data"] == {}
        return
    with pytest.raises(FieldFaultsError) as error:
        read_action("c", action, fields, {}, UTC)
    assert {name for name, fault in error.value.faults.items() if fault == "missing"} >= required
    assert one_of is None or error.value.faults[one_of] in ("one_of", "missing")


@pytest.mark.parametrize(
    ("action", "name", "value", "rule"),
    [
        ("rate", "score", "many", "int_parsing"),
        ("rate", "score", "101", "less_than_equal"),
        ("call_back", "outcome", "glad", "literal_error"),
        ("answer", "text", "x" * 20_001, "string_too_long"),
        ("amend", "facts", "no colon", "not_a_pair"),
        ("route", "cooperating", "x\n" * 51, "too_long"),
    ],
)
def test_a_wrong_value_names_field_and_rule(action: str, name: str, value: str, rule: str) -> None:
    fields = action_fields(action, FREE, {})
    form = {PREFIX + field.name: [typed(field)] for field in fields} | {PREFIX + name: [value]}
    with pytest.raises(FieldFaultsError) as error:
        read_action("c", action, fields, form, UTC)
    assert error.value.faults == {name: rule}


def test_what_sla_asks_for_is_required_and_its_values_are_offered() -> None:
    permission = {"needs": ["text"], "reasons": ["noise"], "clocks": ["first"], "depends_on": ["place", "no_such"]}
    fields = {field.name: field for field in action_fields("request_extension", permission, {})}
    assert (fields["text"].required, fields["clock"].required, fields["by"].required) == (True, True, False)
    assert (fields["reason"].options, fields["clock"].options) == (("noise",), ("first",))
    assert "place" in fields
    assert "no_such" not in fields
