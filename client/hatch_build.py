"""Puts the contracts of the platform into the wheel, as `jiesu_client.contracts`.

In the checkout the client imports `shared.contracts`, so that there is one source; a wheel must not bring a package named `shared`.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

IN_CHECKOUT, IN_WHEEL = "shared.contracts", "jiesu_client.contracts"
LEFT_OUT = frozenset({"contact_forms.py", "follow_codes.py", "person_keys.py", "closed_values.py", "empty_fields.py"})
"""Modules that only services use."""


class ContractsHook(BuildHookInterface[Any]):
    """Copies the sources into a temporary folder, with the name of the package that they have in the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the copies instead of the sources; an editable wheel needs none."""
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp())
        client = Path(self.root)
        sources = {path: f"jiesu_client/{path.relative_to(client / 'jiesu_client')}" for path in (client / "jiesu_client").rglob("*")}
        contracts = client.parent / "shared" / "contracts"
        sources |= {path: f"jiesu_client/contracts/{path.relative_to(contracts)}" for path in contracts.rglob("*.py")}
        for number, (path, name) in enumerate(sources.items()):
            if path.is_file() and path.suffix in {".py", ".typed"} and path.name not in LEFT_OUT:
                copy = self._folder / f"{number}{path.suffix}"
                copy.write_text(path.read_text(encoding="utf-8").replace(IN_CHECKOUT, IN_WHEEL), encoding="utf-8")
                build_data["force_include"][str(copy)] = name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's interface
        """Delete the copies."""
        if version != "editable":
            shutil.rmtree(self._folder)
