"""What a service carries in memory for good."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.service_names import SERVICES
from tests.architecture.test_subscribers import sources

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_loads_neither_command_lines_nor_migrations_nor_tracing(service: str) -> None:
    """FastAPI itself imports OpenTelemetry's API, which does nothing without the SDK."""
    unwanted = {"typer", "prompt_toolkit", "alembic", "mako", "opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf"}
    asked = f"import services.{service}.bootstrap, sys; print(*{unwanted} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


def test_one_module_alone_imports_the_cel_library() -> None:
    lines = [(path.relative_to(PROJECT), line) for path, _ in sources() for line in path.read_text().split("\n")]
    assert {str(path) for path, line in lines if line.startswith(("import cel", "from cel "))} == {
        "shared/procedures/expressions/cel_library.py"
    }
