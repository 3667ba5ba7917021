"""`jiesu schemas`: golden JSON Schemas and examples of the wire format, and the pages generated from them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.reference import event_pages
from cli.reference.checkout import require_checkout
from cli.reference.message_examples import example_message
from cli.reference.schema_compatibility import SchemaChange, schema_changes
from shared.contracts import MODELS_BY_CE_TYPE

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "shared" / "contracts" / "schemas"
EXAMPLES = ROOT / "shared" / "contracts" / "examples"
PAGES = ROOT / "docs" / "reference"

app = typer.Typer(help="Golden schemas of the wire format.", no_args_is_help=True)
console = Console(soft_wrap=True)


@app.command()
def write(
    breaking: Annotated[bool, typer.Option("--breaking", help="Write changes that break producers or consumers too.")] = False,
) -> None:
    """Bring schemas, missing examples and pages up to date; refuses a breaking change without --breaking."""
    require_checkout()
    broken = [change for change in schema_differences() if change.breaks_direction]
    _print_changes(broken)
    if broken and not breaking:
        console.print("Nothing was written. Add an event or an optional field instead, or say --breaking and put it into the changelog.")
        raise typer.Exit(1)
    written = 0
    for path, text in generated_files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written += 1
    console.print(f"{written} files written, {len(MODELS_BY_CE_TYPE)} schemas in all.")


@app.command()
def check() -> None:
    """Say how the models differ from the golden files; exit status 1 if they do."""
    require_checkout()
    found = list(schema_differences())
    _print_changes(found)
    stale = [
        str(path.relative_to(ROOT))
        for path, text in generated_files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for name in stale:
        console.print(f"{name} is not current")
    if found or stale:
        console.print("Run `jiesu schemas write`.")
        raise typer.Exit(1)
    console.print(f"{len(MODELS_BY_CE_TYPE)} schemas are current.")


def current_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a record's type, as the models have it now."""
    made = MODELS_BY_CE_TYPE[name].model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:jiesu:schema:{name}", **made}


def golden_schema(name: str) -> dict[str, Any] | None:
    """The schema as it was last written, None for a new type."""
    path = SCHEMAS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def schema_differences() -> Iterator[SchemaChange]:
    """Every change of the models against the golden schemas, types that are gone too."""
    for name in MODELS_BY_CE_TYPE:
        before = golden_schema(name)
        if before is not None:
            yield from schema_changes(name, before, current_schema(name))
    for path in sorted(SCHEMAS.glob("*.json")):
        if path.stem not in MODELS_BY_CE_TYPE:
            yield SchemaChange(path.stem, "the type is gone", breaks_direction="both")


def generated_files() -> dict[Path, str]:
    """Every generated file with its content; an example that is there already stays, it is what others may have sent."""
    found = {SCHEMAS / f"{name}.json": _json(current_schema(name)) for name in MODELS_BY_CE_TYPE}
    examples = {name: _example(name) for name in MODELS_BY_CE_TYPE}
    found |= {EXAMPLES / f"{name}.json": text for name, text in examples.items()}
    parsed = {name: json.loads(text) for name, text in examples.items()}
    schemas = {name: current_schema(name) for name in MODELS_BY_CE_TYPE}
    found[PAGES / "asyncapi.json"] = _json(event_pages.asyncapi_document(schemas, parsed))
    found[PAGES / "events.md"] = event_pages.events_page(schemas, parsed)
    return found


def _example(name: str) -> str:
    path = EXAMPLES / f"{name}.json"
    return path.read_text(encoding="utf-8") if path.exists() else _json(example_message(MODELS_BY_CE_TYPE[name]))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _print_changes(found: list[SchemaChange]) -> None:
    for change in found:
        suffix = f" (breaks {change.broken_parties})" if change.breaks_direction else ""
        console.print(f"{change.type}: {change.description}{suffix}")
