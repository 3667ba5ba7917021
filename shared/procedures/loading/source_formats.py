"""Reads the maps of sources: from the organisation file, or from the YAML file beside it that it names."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from shared.procedures.loading.validation import validate_document
from shared.procedures.loading.yaml_document import read_yaml
from shared.procedures.organisation import ComplaintSource
from shared.procedures.source_formats.file_map import FileMap
from shared.procedures.source_formats.webhook_map import WebhookMap

MapT = TypeVar("MapT", bound=BaseModel)


def load_file_map(source: ComplaintSource, base_folder: Path) -> FileMap | None:
    """The columns of the source's files, None without any; raises `ProcedureError`."""
    return _load(FileMap, source.imports, base_folder)


def load_webhook_map(source: ComplaintSource, base_folder: Path) -> WebhookMap | None:
    """The calls of the source, None without any; raises `ProcedureError`."""
    return _load(WebhookMap, source.webhook, base_folder)


def _load(model: type[MapT], value: MapT | str | None, base_folder: Path) -> MapT | None:
    return validate_document(model, read_yaml(base_folder / value)) if isinstance(value, str) else value
