"""`jiesu schemas`: the golden JSON Schemas and examples of the wire format, and the pages generated from them."""

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
    breaking_changes = [change for change in schema_differences() if change.breaks_direction]
    _print_changes(breaking_changes)
    if breaking_changes and not breaking:
        console.print("Nothing was written. Add an event or an optional field instead, or pass --breaking and put it into the changelog.")
        raise typer.Exit(1)
    outdated = outdated_files()
    for path, text in outdated.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    console.print(f"{len(outdated)} files written, {len(MODELS_BY_CE_TYPE)} schemas in all.")


@app.command()
def check() -> None:
    """Print how the models differ from the golden files; exit status 1 if they do."""
    require_checkout()
    changes = list(schema_differences())
    _print_changes(changes)
    outdated = outdated_files()
    for path in outdated:
        console.print(f"{path.relative_to(ROOT)} is not current")
    if changes or outdated:
        console.print("Run `jiesu schemas write`.")
        raise typer.Exit(1)
    console.print(f"{len(MODELS_BY_CE_TYPE)} schemas are current.")


def current_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a message type from its model."""
    schema = MODELS_BY_CE_TYPE[name].model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:jiesu:schema:{name}", **schema}


def golden_schema(name: str) -> dict[str, Any] | None:
    """The committed schema; None for a new type."""
    path = SCHEMAS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def schema_differences() -> Iterator[SchemaChange]:
    """The changes of the models since the golden schemas were written, removed types included."""
    for name in MODELS_BY_CE_TYPE:
        golden = golden_schema(name)
        if golden is not None:
            yield from schema_changes(name, golden, current_schema(name))
    for path in sorted(SCHEMAS.glob("*.json")):
        if path.stem not in MODELS_BY_CE_TYPE:
            yield SchemaChange(path.stem, "the type is gone", breaks_direction="both")


def generated_files() -> dict[Path, str]:
    """Every generated file with its text; an existing example is kept, since producers may have sent such a message."""
    schemas = {name: current_schema(name) for name in MODELS_BY_CE_TYPE}
    example_texts = {name: _example_text(name) for name in MODELS_BY_CE_TYPE}
    examples = {name: json.loads(text) for name, text in example_texts.items()}
    return {
        **{SCHEMAS / f"{name}.json": _encode(schema) for name, schema in schemas.items()},
        **{EXAMPLES / f"{name}.json": text for name, text in example_texts.items()},
        PAGES / "asyncapi.json": _encode(event_pages.asyncapi_document(schemas, examples)),
        PAGES / "events.md": event_pages.events_page(schemas, examples),
    }


def outdated_files() -> dict[Path, str]:
    """The generated files that are missing or have another text, with the text that they should have."""
    return {path: text for path, text in generated_files().items() if not path.exists() or path.read_text(encoding="utf-8") != text}


def _example_text(name: str) -> str:
    path = EXAMPLES / f"{name}.json"
    return path.read_text(encoding="utf-8") if path.exists() else _encode(example_message(MODELS_BY_CE_TYPE[name]))


def _encode(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _print_changes(changes: list[SchemaChange]) -> None:
    for change in changes:
        suffix = f" (breaks {change.broken_parties})" if change.breaks_direction else ""
        console.print(f"{change.type}: {change.description}{suffix}")
