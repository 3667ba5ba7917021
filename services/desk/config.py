"""Settings of the desk."""

import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from services.desk.sign_in.config import SignInSettings

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_BASE_URL = re.compile(r"https?://[^/?#\s@]+(/[^?#\s]*)?")


class DeskSettings(SignInSettings):
    """The runtime's settings and the desk's own; each is an environment variable with the prefix JIESU_."""

    production_fields: ClassVar[frozenset[str]] = SignInSettings.production_fields | {
        "organisation",
        "desk_sla_url",
        "desk_intake_url",
        "desk_triage_url",
        "desk_notify_url",
    }

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
    desk_path: str = Field("", description="path below which a proxy serves the desk, such as /desk; empty: the root")
    desk_language: Literal["zh", "en"] = Field("zh", description="language of the desk's pages for who has not chosen one")
    desk_sla_url: str = Field("http://127.0.0.1:8103", description="base URL of sla's HTTP interface, for actions and cases")
    desk_intake_url: str = Field("http://127.0.0.1:8101", description="base URL of intake's HTTP interface, for new complaints")
    desk_triage_url: str = Field("http://127.0.0.1:8102", description="base URL of triage's HTTP interface, for groups")
    desk_notify_url: str = Field("http://127.0.0.1:8104", description="base URL of notify's HTTP interface, for the words of messages")
    desk_timeout: float = Field(10.0, gt=0, description="seconds that the desk waits for an answer of another service")
    desk_live_pages: int = Field(500, ge=1, description="open pages that one process of the desk keeps up to date")

    @field_validator("desk_path")
    @classmethod
    def _desk_path_has_no_slash_at_its_end(cls, value: str) -> str:
        if not _PATH.fullmatch(value):
            raise ValueError("must begin with a slash and not end with one, such as /desk; leave it empty without a path")
        return value

    @field_validator("desk_sla_url", "desk_intake_url", "desk_triage_url", "desk_notify_url")
    @classmethod
    def _service_urls_are_complete(cls, value: str) -> str:
        if not _BASE_URL.fullmatch(value):
            raise ValueError("must be a URL such as http://sla:8000, without user, query or fragment")
        return value.rstrip("/")
