"""Settings of triage."""

from pathlib import Path

from pydantic import Field

from shared.runtime.process.settings import RuntimeSettings


class TriageSettings(RuntimeSettings):
    """The runtime's settings and triage's own; each is an environment variable with the prefix JIESU_."""

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
