"""Breaking changes of a schema: which direction they break, and that `jiesu schemas write` refuses them."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands.development import schemas
from cli.reference.schema_compatibility import schema_changes

BASE: dict[str, Any] = {
    "type": "object",
    "required": ["case", "kind"],
    "$defs": {"Who": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 10}}}},
    "properties": {
        "case": {"type": "string", "maxLength": 200},
        "kind": {"enum": ["a", "b"], "type": "string"},
        "who": {"anyOf": [{"$ref": "#/$defs/Who"}, {"type": "null"}]},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}


def changed(**paths: Any) -> dict[str, Any]:
    """The base schema with values set at paths such as properties__case__maxLength; None deletes."""
    schema: dict[str, Any] = json.loads(json.dumps(BASE))
    for path, value in paths.items():
        *parents, last = path.split("__")
        node = schema
        for part in parents:
            node = node["$defs" if part == "defs" else part]
        if value is None:
            del node[last]
        else:
            node[last] = value
    return schema


@pytest.mark.parametrize(
    ("new", "breaks"),
    [
        (changed(), []),
        (changed(properties__case__description="new words"), []),
        (changed(properties__extra={"type": "string"}), [""]),
        (changed(properties__extra={"type": "string"}, required=["case", "kind", "extra"]), ["backward"]),
        (changed(properties__kind=None, required=["case"]), ["forward"]),
        (changed(required=["case"]), ["forward"]),
        (changed(required=["case", "kind", "notes"]), ["backward"]),
        (changed(properties__kind__enum=["a"]), ["backward"]),
        (changed(properties__kind__enum=["a", "b", "c"]), ["forward"]),
        (changed(properties__case__maxLength=100), ["backward"]),
        (changed(properties__case__maxLength=300), ["forward"]),
        (changed(properties__case__type="integer"), ["both"]),
        (changed(properties__case={"anyOf": [{"type": "string"}, {"type": "null"}], "maxLength": 200}), ["forward"]),
        (changed(properties__notes__items={"type": "integer"}), ["both"]),
        (changed(defs__Who__properties__name__maxLength=5), ["backward"]),
        (changed(properties__case__pattern="^x"), ["both"]),
    ],
)
def test_a_change_breaks_the_expected_directions(new: dict[str, Any], breaks: list[str]) -> None:
    assert [change.breaks_direction for change in schema_changes("x", BASE, new)] == breaks


def test_write_refuses_a_breaking_change_and_check_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("schemas", "examples"):
        (tmp_path / name).mkdir()
    for path in schemas.SCHEMAS.glob("*.json"):
        (tmp_path / "schemas" / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    old = json.loads((tmp_path / "schemas" / "closed.json").read_text(encoding="utf-8"))
    old["required"].append("reason")
    (tmp_path / "schemas" / "closed.json").write_text(json.dumps(old), encoding="utf-8")
    (tmp_path / "schemas" / "vanished.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(schemas, "ROOT", tmp_path)
    monkeypatch.setattr(schemas, "SCHEMAS", tmp_path / "schemas")
    monkeypatch.setattr(schemas, "EXAMPLES", tmp_path / "examples")
    monkeypatch.setattr(schemas, "PAGES", tmp_path / "reference")
    runner = CliRunner()
    checked = runner.invoke(schemas.app, ["check"])
    assert checked.exit_code == 1
    assert "closed: .reason is no longer required (breaks consumers that are not yet updated)" in checked.output
    assert "vanished: the type is gone" in checked.output
    refused = runner.invoke(schemas.app, ["write"])
    assert refused.exit_code == 1
    assert not (tmp_path / "reference").exists()
    (tmp_path / "schemas" / "vanished.json").unlink()
    assert runner.invoke(schemas.app, ["write", "--breaking"]).exit_code == 0
    assert runner.invoke(schemas.app, ["check"]).exit_code == 0
