"""The table of commands."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import services
from cli.main import COMMANDS, load_command
from cli.service_names import SERVICES


def test_every_command_of_the_table_exists() -> None:
    assert [name for name, (target, _) in COMMANDS.items() if find_spec(target.partition(":")[0]) is None] == []
    assert [load_command(name).name for name in COMMANDS] == list(COMMANDS)


def test_help_lists_every_command_and_imports_none() -> None:
    show_help = "import sys; from cli.main import app; app(['--help'], standalone_mode=False)"
    script = f"{show_help}; print([name for name in sys.modules if name.startswith('cli.commands')])"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert all(name in output for name in COMMANDS)
    assert output.endswith("[]\n")


def test_service_names_are_the_packages_of_services() -> None:
    packages = {path.parent.name for path in Path(services.__path__[0]).glob("*/__init__.py")}
    assert packages == set(SERVICES)
