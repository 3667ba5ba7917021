"""Triage's settings."""

from pathlib import Path

from pydantic import Field

from shared.runtime.process.settings import RuntimeSettings


class TriageSettings(RuntimeSettings):
    """Whose rules decide; every variable carries the prefix JIESU_."""

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
