"""Additions of the demo to its organisation: a model trained on self-written history, and a source whose messages it routes."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from click import ClickException

from cli.demo.demo_files import ESTATE_NOTES_FOLDER, ORGANISATION_FILE, SECRETS_FILE
from services.triage.application.models.model_file import write_model

if TYPE_CHECKING:
    from services.triage.training.trainer import TrainedModel

SOURCE = "estate-notes"
CHANNEL = "app"


def write_organisation(root: Path) -> Path:
    """Write the demo's organisation with the source of the messages to `root`; returns the file."""
    # Not in organisation.yaml itself: it is an example for other installations, which have no model.
    document: dict[str, Any] = yaml.safe_load(ORGANISATION_FILE.read_text(encoding="utf-8"))
    key: str = yaml.safe_load(SECRETS_FILE.read_text(encoding="utf-8"))["sources"][SOURCE]["api_key"]
    source = {
        "id": SOURCE,
        "procedure": str(ESTATE_NOTES_FOLDER.resolve()),
        "channels": [CHANNEL],
        "key_sha256": [sha256(key.encode()).hexdigest()],
    }
    document["sources"].append(source)
    root.mkdir(parents=True, exist_ok=True)
    path = root / "organisation.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def learning_environment(root: Path, progress: Callable[[str], None]) -> dict[str, str]:
    """Train the model and write it to `root`; returns the setting that names it."""
    trained = train_on_history()
    path = root / "model.npz"
    version = write_model(path, trained.model, trained.report)
    progress(f"Trained the classifier {version} on {trained.report['messages']} self-written messages.")
    return {"JIESU_CLASSIFIER": str(path.resolve())}


def train_on_history() -> TrainedModel:
    """The model of the demo's history; raises `ClickException` where the extra is not installed."""
    try:
        # scikit-learn takes a second to load, and other commands do not need it.
        from services.triage.training import history, trainer  # noqa: PLC0415
    except ImportError as error:
        raise ClickException(f"{error.name} is missing; install the extra: pip install 'jiesu[triage-train]'") from error
    return trainer.train(history.read_history(ESTATE_NOTES_FOLDER / "history.jsonl", "department"))
