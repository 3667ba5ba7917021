"""The JSON Schema for editors is current, and accepts and rejects what the loader does."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from shared.procedures.loading.editor_schema import SCHEMA_PATH, editor_schema_json
from shared.procedures.loading.loader import PACKS_FOLDER, installed_packs
from shared.procedures.loading.yaml_document import read_yaml
from tests.unit.procedures.sample_pack import write_pack


def test_the_schema_file_is_current() -> None:
    assert SCHEMA_PATH.read_text("utf-8") == editor_schema_json(), "run: jiesu procedure schema --output shared/procedures/schema.json"


@pytest.mark.parametrize("pack_id", installed_packs())
def test_the_schema_accepts_every_pack(pack_id: str) -> None:
    jsonschema.Draft202012Validator(json.loads(editor_schema_json())).validate(read_yaml(PACKS_FOLDER / pack_id / "procedure.yaml").data)


@pytest.mark.parametrize(("old", "new"), [("every: 3d", "evry: 3d"), ("remind: desk", "remnd: desk"), ("stops: closed", "stops: closd")])
def test_the_schema_rejects_what_the_loader_or_the_checks_reject(tmp_path: Path, old: str, new: str) -> None:
    data = yaml.safe_load((write_pack(tmp_path, (old, new)) / "procedure.yaml").read_text("utf-8"))
    assert not jsonschema.Draft202012Validator(json.loads(editor_schema_json())).is_valid(data)
