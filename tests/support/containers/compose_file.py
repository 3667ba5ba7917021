"""Reads a compose file as `docker compose` does: merges, variables, defaults and missing ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_REFERENCE = re.compile(r"\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


class MissingVariable(ValueError):  # noqa: N818 - the condition, as the compose specification names it
    """A variable is required and empty; the text is that of the file."""


@dataclass(frozen=True)
class Volume:
    """A folder or file of the project, or a named volume, at a path of the container."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class ComposeService:
    """One service with every variable replaced."""

    name: str
    document: Mapping[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    volumes: list[Volume] = field(default_factory=list)

    @property
    def command(self) -> list[str]:
        """Command, empty where the image's own is run."""
        return list(self.document.get("command", []))

    @property
    def stage(self) -> str:
        """Stage of our Dockerfile, empty for a foreign image."""
        return str(self.document.get("build", {}).get("target", ""))

    @property
    def temporary(self) -> list[str]:
        """Paths of file systems in memory."""
        return list(self.document.get("tmpfs", []))

    @property
    def healthcheck(self) -> list[str]:
        """Command of the health check, without `CMD`; empty where it is disabled."""
        check = self.document["healthcheck"]
        return [] if check.get("disable") else list(check["test"][1:])

    @property
    def conditions(self) -> dict[str, str]:
        """Service → the condition that is waited for."""
        return {name: how["condition"] for name, how in self.document.get("depends_on", {}).items()}

    @property
    def published(self) -> list[tuple[str, int, int]]:
        """Address and port of the host, port of the container."""
        parts = (port.rsplit(":", 2) for port in self.document.get("ports", []))
        return [(address, int(outer), int(inner)) for address, outer, inner in parts]

    def grace_seconds(self) -> float:
        """Seconds between SIGTERM and SIGKILL; Docker's default is 10."""
        return float(str(self.document.get("stop_grace_period", "10s")).removesuffix("s"))

    def healthcheck_seconds(self) -> float:
        """Seconds that one health check may take."""
        return float(str(self.document["healthcheck"]["timeout"]).removesuffix("s"))

    def memory_limit(self) -> int:
        """Bytes."""
        text = str(self.document["mem_limit"])
        return int(text[:-1]) << {"m": 20, "g": 30}[text[-1]]


def read_compose(path: Path, variables: Mapping[str, str]) -> dict[str, ComposeService]:
    """Read the file with the variables of `.env`; raises MissingVariable with the file's text for one that is required and empty."""
    document = interpolate(yaml.safe_load(path.read_text(encoding="utf-8")), variables)
    return {name: _service(name, service) for name, service in document["services"].items()}


def interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    """Replace `${NAME}`, `${NAME:-default}` and `${NAME:?text}` in every text; keys stay."""
    match value:
        case str():
            return _REFERENCE.sub(lambda found: _replace(found, variables), value)
        case list():
            return [interpolate(item, variables) for item in value]
        case dict():
            return {key: interpolate(item, variables) for key, item in value.items()}
    return value


def _replace(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, operator, text = found.groups()
    value = variables.get(name, "")
    if value or not operator:
        return value
    if operator.endswith("?"):
        raise MissingVariable(text or f"{name} is required")
    return str(text)


def _service(name: str, document: Mapping[str, Any]) -> ComposeService:
    environment = {key: str(value) for key, value in document.get("environment", {}).items()}
    return ComposeService(name, document, environment, [_volume(text) for text in document.get("volumes", [])])


def _volume(text: str) -> Volume:
    source, target, *mode = text.split(":")
    return Volume(source, target, mode == ["ro"])
