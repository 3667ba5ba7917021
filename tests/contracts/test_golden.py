"""The wire format is what the golden files say, and yesterday's messages are read today."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from cli.commands.development import schemas
from shared.contracts import MODELS, decode
from shared.contracts.events import EVENTS, encode
from shared.contracts.topics import TOPICS


def test_models_schemas_examples_and_page_are_current() -> None:
    assert not list(schemas.schema_differences())
    stale = [path.name for path, text in schemas.generated_files().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `jiesu schemas write`"


def test_every_type_has_one_schema_and_one_example_and_no_more() -> None:
    for folder in (schemas.SCHEMAS, schemas.EXAMPLES):
        assert {path.stem for path in folder.glob("*.json")} == set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_an_example_fits_its_schema_and_is_read(name: str) -> None:
    body = (schemas.EXAMPLES / f"{name}.json").read_bytes()
    golden = schemas.golden_schema(name)
    assert golden is not None
    Draft202012Validator(golden, format_checker=FormatChecker()).validate(json.loads(body))
    assert decode(name, body)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_what_we_write_of_an_example_fits_its_schema(name: str) -> None:
    body = (schemas.EXAMPLES / f"{name}.json").read_bytes()
    event = EVENTS[name].model_validate_json(body)
    written = json.loads(encode(event))
    golden = schemas.golden_schema(name)
    assert golden is not None
    Draft202012Validator(golden).validate(written)
    assert EVENTS[name].model_validate_json(encode(event)) == event


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_newer_producers_fields_do_no_harm(name: str) -> None:
    body = json.loads((schemas.EXAMPLES / f"{name}.json").read_bytes())
    newer = body | {"invented_later": {"deep": [1]}}
    assert decode(name, json.dumps(newer).encode()) == decode(name, json.dumps(body).encode())


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_older_producer_may_send_the_required_fields_alone(name: str) -> None:
    golden = schemas.golden_schema(name)
    assert golden is not None
    body = json.loads((schemas.EXAMPLES / f"{name}.json").read_bytes())
    assert decode(name, json.dumps({field: body[field] for field in golden["required"]}).encode())


@pytest.mark.parametrize("name", ["action", "submission"])
def test_a_misspelt_field_of_an_input_is_found(name: str) -> None:
    body = json.loads((schemas.EXAMPLES / f"{name}.json").read_bytes())
    with pytest.raises(ValidationError, match="misspelt"):
        decode(name, json.dumps(body | {"misspelt": 1}).encode())


def test_asyncapi_names_every_topic_and_every_type() -> None:
    page: dict[str, Any] = json.loads((schemas.PAGES / "asyncapi.json").read_text(encoding="utf-8"))
    assert set(page["channels"]) == {*TOPICS, "department-{department}"}
    assert set(page["components"]["messages"]) == set(MODELS)
    carried = {name for channel in page["channels"].values() for name in channel["messages"]}
    assert carried == set(MODELS)
    references = [operation["channel"]["$ref"] for operation in page["operations"].values()]
    assert {ref.rpartition("/")[2].replace("%7B", "{").replace("%7D", "}") for ref in references} == set(page["channels"])
