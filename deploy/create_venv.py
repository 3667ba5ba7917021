"""Builds `.venv` from the locked requirements, with only the standard library, pip and the network.

`make` runs it before every target; it does nothing while the environment matches the lock files.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENV = PROJECT / ".venv"
FINGERPRINT_FILE = VENV / ".jiesu"
PYTHON = VENV / "bin" / "python"
UV_FOLDER = PROJECT / "var" / "uv"
FINGERPRINT_INPUTS = ("requirements.lock", "pyproject.toml", "deploy/uv.txt", "deploy/create_venv.py")
# No file of the project names a registry: a mirror that is set for pip has to reach uv too (ADR 19).
_PIP_TO_UV = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST"}


class SetupError(RuntimeError):
    """The environment cannot be built; the text names the remedy."""


def main() -> int:
    """Bring `.venv` up to date; return a process exit status."""
    os.chdir(PROJECT)
    expected = fingerprint()
    try:
        if not _is_current(expected):
            with _setup_lock():
                if not _is_current(expected):
                    _build(expected)
    except SetupError as error:
        print_progress(str(error))
        return 1
    return 0


def fingerprint() -> str:
    """Hash everything that the environment depends on: the input files, the path of the checkout, the version of Python."""
    digest = hashlib.sha256(f"{PROJECT} {sys.version_info[:2]}".encode())
    for name in FINGERPRINT_INPUTS:
        digest.update((PROJECT / name).read_bytes())
    return digest.hexdigest()


def print_progress(line: str) -> None:
    """Write one line of progress to standard error."""
    sys.stderr.write(f"{line}\n")


def _is_current(expected: str) -> bool:
    return PYTHON.exists() and FINGERPRINT_FILE.exists() and FINGERPRINT_FILE.read_text() == expected


def _build(expected: str) -> None:
    environment = {**_pip_settings(), **os.environ}
    uv = str(_ensure_uv())
    FINGERPRINT_FILE.unlink(missing_ok=True)  # an interrupted build must not count as current
    if not _venv_matches():
        print_progress(f"Creating .venv with Python {sys.version.split()[0]} …")
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], "create .venv", environment)
    print_progress("Installing the locked packages …")
    target = ["--python", str(PYTHON)]
    _run([uv, "pip", "sync", *target, "--require-hashes", "requirements.lock"], "install the locked packages", environment)
    # The build backend is among the locked packages, so the editable install needs no network (ADR 19).
    project = ["--offline", "--no-deps", "--no-build-isolation", "--editable", "."]
    _run([uv, "pip", "install", "--quiet", *target, *project], "install Jiesu itself", environment)
    FINGERPRINT_FILE.write_text(expected)
    print_progress("The environment is ready.")


def _ensure_uv() -> Path:
    """Return the path of the pinned uv, which pip installs into a folder: Debian's Python has pip without venv."""
    program = UV_FOLDER / "bin" / "uv"
    installed_lock = UV_FOLDER / "pinned"
    lock = (PROJECT / "deploy" / "uv.txt").read_text()
    if program.exists() and installed_lock.exists() and installed_lock.read_text() == lock:
        return program
    print_progress("Installing uv …")
    partial = UV_FOLDER.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    options = [
        "--quiet",
        "--root-user-action=ignore",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--target",
        str(partial),
        "-r",
        "deploy/uv.txt",
    ]
    _run([*_pip(), "install", *options], "fetch uv")
    (partial / "pinned").write_text(lock)
    shutil.rmtree(UV_FOLDER, ignore_errors=True)
    partial.rename(UV_FOLDER)
    return program


def _pip() -> list[str]:
    """Return the command for pip: that of this Python, else that of a virtual environment made for it."""
    if _succeeds([sys.executable, "-m", "pip", "--version"]):
        return [sys.executable, "-m", "pip"]
    pip_venv = PROJECT / "var" / "pip"
    if not _succeeds([sys.executable, "-m", "venv", "--clear", str(pip_venv)]):
        raise SetupError(
            "This Python has neither pip nor venv: install them (Debian or Ubuntu: apt-get install python3-pip), then try again."
        )
    return [str(pip_venv / "bin" / "python"), "-m", "pip"]


def _pip_settings() -> dict[str, str]:
    """Return pip's index and certificate settings as variables of uv, which does not read pip's configuration."""
    output = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    settings = re.findall(r"^\S+?\.([\w-]+)='(.*)'$", output, re.MULTILINE)
    return {_PIP_TO_UV[key]: value for key, value in settings if key in _PIP_TO_UV}


def _venv_matches() -> bool:
    """Whether `.venv` was made here and with this version of Python: its scripts hold absolute paths, and a checkout can be moved."""
    if not PYTHON.exists():
        return False
    code = "import sys; print(sys.prefix, sys.version_info[:2])"
    output = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False).stdout
    return output.strip() == f"{VENV} {sys.version_info[:2]}"


def _run(command: Sequence[str], purpose: str, environment: dict[str, str] | None = None) -> None:
    if subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL).returncode:
        raise SetupError(f"Could not {purpose}: see the error above, check the network and pip's settings, then try again.")


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0


@contextmanager
def _setup_lock() -> Iterator[None]:
    """Hold the lock of the set-up: two commands may start at once in one checkout."""
    path = PROJECT / "var" / "setup.lock"
    # `make up` and `make demo` keep complaints below it.
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_progress("Another command is setting up the environment: waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
