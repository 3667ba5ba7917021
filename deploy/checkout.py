"""Finds the checkout that the code runs from, and the folder for local data."""

from pathlib import Path

_PARENT = Path(__file__).resolve().parents[1]

CHECKOUT: Path | None = _PARENT if (_PARENT / "requirements.lock").is_file() else None
"""None where the code was installed from a wheel, which holds no lock file."""
VAR_FOLDER = (CHECKOUT or Path.cwd()) / "var"
"""Holds downloads, data of the embedded servers and test data."""
