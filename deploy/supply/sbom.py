"""Writes the bill of materials (CycloneDX) of the packages in the image: `python -m deploy.supply.sbom`.

It is made from the virtual environment, whose packages have the locked versions, without those that only development needs.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
DOCKERFILE = PROJECT / "deploy/docker/Dockerfile"
_EXTRAS = re.compile(r'^ARG EXTRAS="([^"]*)"', re.MULTILINE)


class SbomError(RuntimeError):
    """The bill of materials cannot be made; the text names the remedy."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file and print one line."""
    parser = argparse.ArgumentParser(prog="make sbom", description="The packages of the image as CycloneDX 1.6.")
    parser.add_argument("--output", type=Path, default=PROJECT / "var/sbom.cdx.json")
    parser.add_argument("--extras", nargs="*", default=image_extras(), help="extras of the image: its build argument EXTRAS")
    options = parser.parse_args(arguments)
    try:
        document = bill_of_materials(options.extras)
        validate(document)
    except SbomError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{options.output}: {len(document['components'])} packages. Those of the base image (Debian, Python) are not in it.\n")
    return 0


def image_extras() -> list[str]:
    """The default of the image's build argument EXTRAS."""
    [extras] = _EXTRAS.findall(DOCKERFILE.read_text(encoding="utf-8"))
    return str(extras).split()


def bill_of_materials(extras: Iterable[str]) -> dict[str, Any]:
    """Return the CycloneDX document of Jiesu with these extras; raises SbomError if the environment cannot be read."""
    document = _environment()
    root = document["metadata"]["component"]["bom-ref"]
    shipped = shipped_packages("jiesu", extras) - {"jiesu"}
    document["components"] = [component for component in document["components"] if canonicalize_name(component["name"]) in shipped]
    kept = {root, *(component["bom-ref"] for component in document["components"])}
    document["dependencies"] = [
        {**node, "dependsOn": [other for other in node["dependsOn"] if other in kept]} if "dependsOn" in node else node
        for node in document["dependencies"]
        if node["ref"] in kept
    ]
    return document


def validate(document: dict[str, Any]) -> None:
    """Raise SbomError for a document that breaks the schema of CycloneDX."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    if fault is not None:
        raise SbomError(f"The bill of materials breaks the schema of CycloneDX 1.6: {fault}")


def shipped_packages(name: str, extras: Iterable[str]) -> set[str]:
    """Canonical names of the package and of all that it needs with these extras on this platform."""
    waiting = [Requirement(f"{name}[{','.join(extras)}]")]
    done: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        # Each extra by itself, and the package without any: markers name one extra.
        for extra in {"", *wanted.extras}:
            key = (canonicalize_name(wanted.name), extra)
            if key not in done:
                done.add(key)
                needed = map(Requirement, requires(wanted.name) or ())
                waiting += [other for other in needed if other.marker is None or other.marker.evaluate({"extra": extra})]
    return {package for package, _ in done}


def _environment() -> dict[str, Any]:
    command = [sys.executable, "-m", "cyclonedx_py", "environment", sys.executable, "--pyproject", str(PROJECT / "pyproject.toml")]
    command += ["--mc-type", "application", "--output-reproducible", "--no-validate", "--spec-version", "1.6", "--output-format", "JSON"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SbomError(
            f"The packages of the environment cannot be listed; run `make setup`, then try again. cyclonedx-py: {done.stderr.strip()}"
        )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


if __name__ == "__main__":
    sys.exit(main())
