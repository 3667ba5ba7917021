"""Files and processes of the version before operations, which runs under the present version's packages."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import PROJECT

COMMIT = "90118b40300d07847a64a2a939021b8fe7036d45"
"""`v0.1-before-operations`. By its hash, since a clone may lack the tag; it is an ancestor, which only a shallow clone lacks."""
_FOLDERS = ("services", "shared", "cli", "deploy", "simulator")
_READ_BACK = """
import json, sys
from shared.contracts import MODELS_BY_CE_TYPE, decode_body
from shared.contracts.events import EVENT_CLASSES, encode_event
result = {}
for name, body in json.load(sys.stdin).items():
    if name in MODELS_BY_CE_TYPE:
        message = decode_body(name, body.encode())
        result[name] = encode_event(message).decode() if name in EVENT_CLASSES else ""
json.dump(result, sys.stdout)
"""


def extract_old_version(folder: Path) -> Path:
    """Write the old version's packages into the folder; skips the test in a clone that does not have the commit."""
    archive = subprocess.run(["git", "archive", COMMIT, *_FOLDERS], cwd=PROJECT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the commit {COMMIT[:8]} (v0.1-before-operations) is not in this clone: its history is shallow, or there is no git")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        folder.mkdir(exist_ok=True)
        files.extractall(folder, filter="data")
    return folder


def old_environment(folder: Path) -> dict[str, str]:
    """The variable that puts the old version's packages before the installed ones."""
    return {"PYTHONPATH": str(folder)}


def read_back_by_old_version(folder: Path, bodies: Mapping[str, str]) -> dict[str, Any]:
    """Message type → what the old version encodes after it decoded the body ("" for messages that are no events).

    Types that it does not know are left out. Raises `CalledProcessError` with the old version's error for a body that it cannot decode.
    """
    process = subprocess.run(
        [sys.executable, "-P", "-c", _READ_BACK],
        input=json.dumps(dict(bodies)),
        env={**os.environ, **old_environment(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    result: dict[str, Any] = json.loads(process.stdout)
    return result


def examples_of(folder: Path, names: Iterable[str] = ()) -> dict[str, str]:
    """Message type → the golden example in a version's folder; all, or those of `names`."""
    paths = sorted((folder / "shared/contracts/examples").glob("*.json"))
    wanted = set(names)
    return {path.stem: path.read_text(encoding="utf-8") for path in paths if not wanted or path.stem in wanted}
