"""The demo's organisation, complaints and keys, as they are installed with `deploy`."""

from importlib.resources import files
from pathlib import Path

_FOLDER = Path(str(files("deploy"))) / "demo"

ORGANISATION_FILE = _FOLDER / "organisation.yaml"
COMPLAINTS_FILE = _FOLDER / "complaints.yaml"
SECRETS_FILE = _FOLDER / "secrets.yaml"
DESK_ACCOUNTS_FILE = _FOLDER / "desk_accounts.yaml"
ESTATE_NOTES_FOLDER = _FOLDER / "estate_notes"
