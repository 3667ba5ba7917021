"""Generates the JSON Schema of procedure.yaml, which editors use for completion and checks."""

import json
from pathlib import Path

from shared.procedures.model.procedure import Procedure

SCHEMA_PATH = Path(__file__).parents[1] / "schema.json"


def editor_schema_json() -> str:
    """The schema as JSON text with a final newline."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Procedure.model_json_schema(by_alias=True)}
    return json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
