"""The JSON Schema of procedure.yaml for editors, made from the model."""

import json
from pathlib import Path

from shared.procedures.model.procedure import Procedure

SCHEMA_PATH = Path(__file__).parents[1] / "schema.json"


def editor_schema_json() -> str:
    """The schema as JSON text, with a line end."""
    found = Procedure.model_json_schema(by_alias=True)
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **found}, ensure_ascii=False, indent=1, sort_keys=True)
        + "\n"
    )
