"""Finds kustomize, or builds it from its Go module where Go is at hand."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from deploy.embedded.locks import exclusive_lock
from tests.support.repository import PROJECT
from tests.support.servers.session_servers import print_progress

MODULE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"
_FOLDER = PROJECT / "var" / "kustomize"
_BUILD_SECONDS = 280


@cache
def kustomize_command() -> tuple[str, ...]:
    """The command that builds a folder; empty where there is none and none can be built."""
    built = _FOLDER / "kustomize"
    for program in (shutil.which("kustomize"), str(built) if built.exists() else None):
        if program:
            return program, "build"
    # Before a build of half a minute: kubectl carries kustomize inside.
    if kubectl := shutil.which("kubectl"):
        return kubectl, "kustomize"
    if go := shutil.which("go"):
        _build(go, built)
    return (str(built), "build") if built.exists() else ()


def build_manifests(folder: Path) -> str:
    """The YAML documents of a kustomization; raises AssertionError with the program's message."""
    done = subprocess.run([*kustomize_command(), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _build(go: str, built: Path) -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(_FOLDER / "lock", print_progress, "Another run is building kustomize: waiting for it."):
        if not built.exists():
            print_progress(f"Building {MODULE} with Go, once in this checkout …")
            environment = {**os.environ, "GOBIN": str(_FOLDER), "GOFLAGS": "-mod=mod"}
            subprocess.run([go, "install", MODULE], cwd=_FOLDER, env=environment, check=False, timeout=_BUILD_SECONDS, capture_output=True)
