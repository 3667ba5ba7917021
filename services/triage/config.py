"""Settings of triage."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from shared.runtime.http.identity.config import OidcSettings


class TriageSettings(OidcSettings):
    """The runtime's settings and triage's own; each is an environment variable with the prefix JIESU_."""

    production_fields: ClassVar[frozenset[str]] = OidcSettings.production_fields | {"organisation"}

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
    classifier: Path | None = Field(
        None,
        description="the model that `jiesu triage train` wrote, with its .sha256 beside it; read again when it changes; empty: rules alone",
    )
    shadow_classifier: Path | None = Field(
        None, description="a second model that decides nothing: metrics count how often it differs from the first"
    )
