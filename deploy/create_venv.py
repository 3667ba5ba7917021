"""Builds `.venv` from the locked requirements with nothing but Python's own library, pip and the network.

Run by `make`; it does nothing when the environment is already what the lock files ask for.
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
_PIP_TO_UV = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST"}


class SetupError(RuntimeError):
    """The environment cannot be built; the text says what to do."""


def main() -> int:
    """Bring `.venv` up to date; return a process exit status."""
    os.chdir(PROJECT)
    wanted = fingerprint()
    try:
        if not _current(wanted):
            with _setup_lock():
                if not _current(wanted):
                    _build(wanted)
    except SetupError as error:
        print_progress(str(error))
        return 1
    return 0


def fingerprint() -> str:
    """Return what the environment depends on, as one hash: the lock files, this checkout's place, the interpreter."""
    digest = hashlib.sha256(f"{PROJECT} {sys.version_info[:2]}".encode())
    for name in FINGERPRINT_INPUTS:
        digest.update((PROJECT / name).read_bytes())
    return digest.hexdigest()


def print_progress(line: str) -> None:
    """Show one line of progress."""
    sys.stderr.write(f"{line}\n")


def _current(wanted: str) -> bool:
    return PYTHON.exists() and FINGERPRINT_FILE.exists() and FINGERPRINT_FILE.read_text() == wanted


def _build(wanted: str) -> None:
    environment = {**_pip_settings(), **os.environ}
    uv = str(_ensure_uv())
    FINGERPRINT_FILE.unlink(missing_ok=True)
    if not _venv_matches():
        print_progress(f"Creating .venv with Python {sys.version.split()[0]} …")
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], "create .venv", environment)
    print_progress("Installing the locked packages …")
    into = ["--python", str(PYTHON)]
    _run([uv, "pip", "sync", *into, "--require-hashes", "requirements.lock"], "install the locked packages", environment)
    project = ["--offline", "--no-deps", "--no-build-isolation", "--editable", "."]
    _run([uv, "pip", "install", "--quiet", *into, *project], "install Jiesu itself", environment)
    FINGERPRINT_FILE.write_text(wanted)
    print_progress("The environment is ready.")


def _ensure_uv() -> Path:
    """Return uv of the pinned version, fetched by pip into a folder of its own, so that no venv module is needed."""
    program = UV_FOLDER / "bin" / "uv"
    stamp = UV_FOLDER / "pinned"
    pinned = (PROJECT / "deploy" / "uv.txt").read_text()
    if program.exists() and stamp.exists() and stamp.read_text() == pinned:
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
    (partial / "pinned").write_text(pinned)
    shutil.rmtree(UV_FOLDER, ignore_errors=True)
    partial.rename(UV_FOLDER)
    return program


def _pip() -> list[str]:
    """Return how to call pip: this Python's, or that of a small virtual environment where it has none."""
    if _succeeds([sys.executable, "-m", "pip", "--version"]):
        return [sys.executable, "-m", "pip"]
    aside = PROJECT / "var" / "pip"
    if not _succeeds([sys.executable, "-m", "venv", "--clear", str(aside)]):
        raise SetupError(
            "This Python has neither pip nor venv: install them (Debian or Ubuntu: apt-get install python3-pip), then try again."
        )
    return [str(aside / "bin" / "python"), "-m", "pip"]


def _pip_settings() -> dict[str, str]:
    """Return pip's own settings of where packages come from, in the words of uv, which does not read them."""
    answer = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    found = re.findall(r"^\S+?\.([\w-]+)='(.*)'$", answer, re.MULTILINE)
    return {_PIP_TO_UV[key]: value for key, value in found if key in _PIP_TO_UV}


def _venv_matches() -> bool:
    """Whether `.venv` has a Python of our version that knows this very place: a checkout may have been moved."""
    question = "import sys; print(sys.prefix, sys.version_info[:2])"
    if not PYTHON.exists():
        return False
    answer = subprocess.run([PYTHON, "-c", question], capture_output=True, text=True, check=False).stdout
    return answer.strip() == f"{VENV} {sys.version_info[:2]}"


def _run(command: Sequence[str], aim: str, environment: dict[str, str] | None = None) -> None:
    if subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL).returncode:
        raise SetupError(f"Could not {aim}: the reason stands above; check the network and pip's settings, then try again.")


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0


@contextmanager
def _setup_lock() -> Iterator[None]:
    """Hold the set-up lock: two commands may be started at once in one checkout."""
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
