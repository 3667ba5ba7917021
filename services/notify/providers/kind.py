"""The registration of a kind of provider: its channel, the model of its settings, and the function that builds it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from services.notify.providers.provider import Provider
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured

SettingsT = TypeVar("SettingsT", bound=BaseModel)
_LONGEST_NAME = 100


def _is_variable_name(text: str) -> str:
    # The text is not repeated: it may be the secret itself, which must not get into a log.
    if (
        not (text.isascii() and text.replace("_", "").isalnum() and text == text.upper() and not text[0].isdigit())
        or len(text) > _LONGEST_NAME
    ):
        raise ValueError(
            "must be the name of an environment variable in capitals, such as GATEWAY_TOKEN; never write the secret itself here"
        )
    return text


SecretName = Annotated[str, AfterValidator(_is_variable_name)]
"""A field with this type ends in `_env`, and holds the name of the environment variable that has the secret."""


class ProviderSettings(BaseModel):
    """Base of the settings of a kind: unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """The arguments of a provider besides its settings; `timeout` is in seconds for one whole attempt.

    `receipts_url` is the public address of this provider's receipts, empty if notify has none.
    """

    id: str
    clock: Clock
    timeout: float = 10.0
    receipts_url: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def secret(self, name: str) -> str:
        """The value of an environment variable; empty for an empty name. Raises `Misconfigured` if it is not set."""
        if not name:
            return ""
        if not self.environment.get(name):
            raise Misconfigured(f"provider {self.id}: the environment variable {name} is not set; set it to the secret")
        return self.environment[name]


@dataclass(frozen=True, slots=True)
class ProviderKind(Generic[SettingsT]):
    """One line of the registry."""

    channel: str
    settings: type[SettingsT]
    build: Callable[[SettingsT, ProviderContext], Provider]

    def create(self, settings: Any, context: ProviderContext) -> Provider:
        """The provider of validated settings."""
        return self.build(settings, context)
