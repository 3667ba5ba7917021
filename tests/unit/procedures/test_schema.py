"""The JSON Schema for editors: current, and of one mind with the loader."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from shared.procedures.loading.editor_schema import FILE, schema
from shared.procedures.loading.loader import PACKS, installed
from shared.procedures.loading.yaml_document import read
from tests.unit.procedures.samples import write_pack


def test_the_file_is_current() -> None:
    assert FILE.read_text("utf-8") == schema(), "run: jiesu procedure schema --output shared/procedures/schema.json"


@pytest.mark.parametrize("pack_id", installed())
def test_it_accepts_every_pack(pack_id: str) -> None:
    jsonschema.Draft202012Validator(json.loads(schema())).validate(read(PACKS / pack_id / "procedure.yaml").data)


@pytest.mark.parametrize(("old", "new"), [("every: 3d", "evry: 3d"), ("remind: desk", "remnd: desk"), ("stops: closed", "stops: closd")])
def test_it_refuses_what_the_loader_or_check_refuse(tmp_path: Path, old: str, new: str) -> None:
    data = yaml.safe_load((write_pack(tmp_path, (old, new)) / "procedure.yaml").read_text("utf-8"))
    assert not jsonschema.Draft202012Validator(json.loads(schema())).is_valid(data)
