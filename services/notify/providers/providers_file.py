"""Reads `providers.yaml`: the providers of each channel, with their shares, rates and the messages that they carry."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.notify.domain.chat.address import ChatAddress
from services.notify.providers.kind import ProviderKind
from services.notify.providers.registry import PROVIDER_KINDS
from shared.procedures.loading.validation import validate_document
from shared.procedures.loading.yaml_document import YamlDocument, read_yaml
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure_error import FileProblem, ProcedureError

ProviderId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="in events, metrics and the path of receipts")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BreakerSettings(_Strict):
    """When a provider gets no more messages for a while."""

    failures: int = Field(5, ge=1, description="failures in a row, none of them about a single message, that open the breaker")
    pause: float = Field(30.0, gt=0, description="seconds until one message is tried again")


class ServedMessages(_Strict):
    """Which messages a provider may carry; an empty list is no condition."""

    prefixes: tuple[str, ...] = Field((), description="beginnings of addresses, such as +852 for Hong Kong")
    languages: tuple[str, ...] = Field((), description="languages of messages: zh, en")

    def includes(self, address: str, language: str) -> bool:
        """Whether a message to this address in this language may go through the provider."""
        if self.prefixes and not address.startswith(self.prefixes):
            return False
        return not self.languages or not language or language in self.languages


class ProviderEntry(_Strict):
    """One provider; `settings` are those of its kind."""

    id: ProviderId
    channel: str
    kind: str
    weight: float = Field(1.0, ge=0, description="share of the channel's messages; 0: used only when no other provider can")
    rate: float = Field(0.0, ge=0, description="messages (text messages: parts) a second and process; 0: unlimited")
    concurrency: int = Field(0, ge=0, description="messages that one process sends at the same time; 0: unlimited")
    timeout: float = Field(10.0, gt=0, le=60, description="seconds for one attempt")
    max_parts: int = Field(0, ge=0, description="text messages with more parts are not sent through this provider; 0: no limit")
    pass_on_doubt: bool = Field(
        default=False, description="hand a message that may have been sent to another provider: rather twice than late"
    )
    breaker: BreakerSettings = BreakerSettings()
    serves: ServedMessages = ServedMessages()
    settings: dict[str, Any] = Field(default_factory=dict)

    def carries(self, address: str, language: str) -> bool:
        """Whether a message to this address in this language may go through the provider; a robot posts into its own group only."""
        if self.channel == "chat" and ChatAddress.parse(address).robot != self.id:
            return False
        return self.serves.includes(address, language)


class ProvidersFile(_Strict):
    """The whole file."""

    providers: list[ProviderEntry]


def load_providers(path: Path) -> list[ProviderEntry]:
    """The entries of a file, their settings replaced by validated ones; raises `ProcedureError` with every problem."""
    document = read_yaml(path)
    entries = validate_document(ProvidersFile, document).providers
    problems = [document.problem_at(finding.yaml_path, finding.message) for finding in _findings(entries)]
    for index, entry in enumerate(entries):
        kind = PROVIDER_KINDS.get(entry.kind)
        problems += settings_problems(document, index, entry, kind) if kind else []
    if problems:
        raise ProcedureError(problems)
    return entries


def provider_problems(path: Path, environment: Mapping[str, str]) -> list[FileProblem]:
    """All problems of a file: its errors, else a warning for each environment variable that is not set here."""
    try:
        entries = load_providers(path)
    except ProcedureError as error:
        return error.problems
    document = read_yaml(path)
    return [
        document.problem_at(
            ("providers", index, "settings", name),
            f"provider {entry.id}: the environment variable {variable} is not set here; set it where notify runs",
            severity="warning",
        )
        for index, entry in enumerate(entries)
        for name, variable in _variables(entry.settings)
        if not environment.get(variable)
    ]


def _variables(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The environment variables that settings name, each with its top-level key."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            values = value.values() if name.endswith("_env") else (variable for _, variable in _variables(value))
            yield from ((name, str(variable)) for variable in values)
        elif name.endswith("_env") and value:
            yield name, str(value)


def settings_problems(document: YamlDocument, index: int, entry: ProviderEntry, kind: ProviderKind[Any]) -> list[FileProblem]:
    """The problems of one entry's settings, with their lines."""
    section = YamlDocument(document.path, entry.settings, _settings_node(document, index))
    try:
        validate_document(kind.settings, section)
    except ProcedureError as error:
        line = document.locate(("providers", index, "settings"))[1]
        return [
            FileProblem(
                problem.file, max(problem.line, line), "", f"provider {entry.id}, settings: {problem.message.removeprefix('the file: ')}"
            )
            for problem in error.problems
        ]
    return []


def _settings_node(document: YamlDocument, index: int) -> Any:
    """The YAML node of an entry's settings, which has their line numbers; None without settings."""
    nodes: Any = next(value for key, value in document.root.value if key.value == "providers")  # type: ignore[union-attr]
    return next((value for key, value in nodes.value[index].value if key.value == "settings"), None)


def _findings(entries: Iterable[ProviderEntry]) -> Iterator[Finding]:
    entries = list(entries)
    repeated = {name for name, number in Counter(entry.id for entry in entries).items() if number > 1}
    for index, entry in enumerate(entries):
        if entry.id in repeated:
            yield Finding(("providers", index, "id"), f"providers has {entry.id} twice; rename one")
        kind = PROVIDER_KINDS.get(entry.kind)
        if kind is None:
            kinds = ", ".join(sorted(PROVIDER_KINDS))
            yield Finding(("providers", index, "kind"), f"there is no kind {entry.kind}; use one of {kinds}")
        elif kind.channel != entry.channel:
            yield Finding(("providers", index, "channel"), f"kind {entry.kind} serves channel {kind.channel}; write {kind.channel}")
        if entry.max_parts and entry.channel != "sms":
            yield Finding(("providers", index, "max_parts"), "max_parts is for channel sms, which alone has parts; remove it")
    for channel in sorted({entry.channel for entry in entries}):
        if all(entry.weight == 0 for entry in entries if entry.channel == channel):
            index = next(number for number, entry in enumerate(entries) if entry.channel == channel)
            yield Finding(("providers", index, "weight"), f"every provider of channel {channel} has weight 0; give one a weight")
