"""The wire format equals the golden schemas and examples, and messages of older and newer producers can be read."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from cli.commands.development import schemas
from shared.contracts import MODELS_BY_CE_TYPE, decode_body
from shared.contracts.events import EVENT_CLASSES, encode_event
from shared.contracts.topics import TOPICS


def test_schemas_examples_and_the_asyncapi_page_are_current() -> None:
    assert not list(schemas.schema_differences())
    stale = [path.name for path, text in schemas.generated_files().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `jiesu schemas write`"


def test_every_type_has_exactly_one_schema_and_one_example() -> None:
    for folder in (schemas.SCHEMAS, schemas.EXAMPLES):
        assert {path.stem for path in folder.glob("*.json")} == set(MODELS_BY_CE_TYPE)


@pytest.mark.parametrize("name", sorted(MODELS_BY_CE_TYPE))
def test_an_example_is_valid_by_its_schema_and_can_be_decoded(name: str) -> None:
    body = (schemas.EXAMPLES / f"{name}.json").read_bytes()
    golden = schemas.golden_schema(name)
    assert golden is not None
    Draft202012Validator(golden, format_checker=FormatChecker()).validate(json.loads(body))
    assert decode_body(name, body)


@pytest.mark.parametrize("name", sorted(EVENT_CLASSES))
def test_an_encoded_event_is_valid_by_its_schema(name: str) -> None:
    body = (schemas.EXAMPLES / f"{name}.json").read_bytes()
    event = EVENT_CLASSES[name].model_validate_json(body)
    written = json.loads(encode_event(event))
    golden = schemas.golden_schema(name)
    assert golden is not None
    Draft202012Validator(golden).validate(written)
    assert EVENT_CLASSES[name].model_validate_json(encode_event(event)) == event


@pytest.mark.parametrize("name", sorted(EVENT_CLASSES))
def test_unknown_fields_of_a_newer_producer_are_ignored(name: str) -> None:
    body = json.loads((schemas.EXAMPLES / f"{name}.json").read_bytes())
    newer = body | {"invented_later": {"deep": [1]}}
    assert decode_body(name, json.dumps(newer).encode()) == decode_body(name, json.dumps(body).encode())


@pytest.mark.parametrize("name", sorted(EVENT_CLASSES))
def test_an_event_with_the_required_fields_only_can_be_decoded(name: str) -> None:
    golden = schemas.golden_schema(name)
    assert golden is not None
    body = json.loads((schemas.EXAMPLES / f"{name}.json").read_bytes())
    assert decode_body(name, json.dumps({field: body[field] for field in golden["required"]}).encode())


@pytest.mark.parametrize("name", ["action", "submission"])
def test_a_misspelt_field_of_an_input_is_an_error(name: str) -> None:
    body = json.loads((schemas.EXAMPLES / f"{name}.json").read_bytes())
    with pytest.raises(ValidationError, match="misspelt"):
        decode_body(name, json.dumps(body | {"misspelt": 1}).encode())


def test_the_asyncapi_page_lists_every_topic_and_every_type() -> None:
    page: dict[str, Any] = json.loads((schemas.PAGES / "asyncapi.json").read_text(encoding="utf-8"))
    assert set(page["channels"]) == {*TOPICS, "department-{department}"}
    assert set(page["components"]["messages"]) == set(MODELS_BY_CE_TYPE)
    carried = {name for channel in page["channels"].values() for name in channel["messages"]}
    assert carried == set(MODELS_BY_CE_TYPE)
    references = [operation["channel"]["$ref"] for operation in page["operations"].values()]
    assert {ref.rpartition("/")[2].replace("%7B", "{").replace("%7D", "}") for ref in references} == set(page["channels"])
