"""What a service carries in memory for good."""

import json
import subprocess
import sys

import pytest

from cli.service_names import SERVICES
from tests.support.repository import PROJECT, python_files, relative_name

UNWANTED = {"typer", "prompt_toolkit", "alembic", "mako", "opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf"}
"""FastAPI itself imports OpenTelemetry's API, which does nothing without the SDK."""
PROGRAM = f"""
import importlib, json, sys
loaded = {{}}
for service in {SERVICES!r}:
    importlib.import_module(f"services.{{service}}.bootstrap")
    loaded[service] = sorted({UNWANTED!r} & set(sys.modules))
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Unwanted modules by the service after whose import they are there: of one process, since each start takes seconds."""
    answer = subprocess.run([sys.executable, "-c", PROGRAM], cwd=PROJECT, capture_output=True, text=True, check=True)
    return dict(json.loads(answer.stdout))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_loads_neither_command_lines_nor_migrations_nor_tracing(service: str, loaded: dict[str, list[str]]) -> None:
    assert loaded[service] == []


def test_one_module_alone_imports_the_cel_library() -> None:
    lines = [(path, line) for path in python_files() for line in path.read_text(encoding="utf-8").split("\n")]
    assert {relative_name(path) for path, line in lines if line.startswith(("import cel", "from cel "))} == {
        "shared/procedures/expressions/cel_library.py"
    }
