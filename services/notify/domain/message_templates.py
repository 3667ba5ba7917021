"""Subject and text of a message, from templates in a sandbox, bounded in size and free of anything that could become a header."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain.failure_reason import FailureReason

LONGEST_SUBJECT = 150
LONGEST_TEXT = {"sms": 500, "email": 20_000}
"""Characters; 500 are eight parts of a text message in Chinese."""
LONGEST_VALUE = 2_000
DEFAULT_TEMPLATE = "notice"
"""The template of everything that has none of its own."""
LANGUAGES = ("zh", "en")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class TemplateRenderError(ValueError):
    """The values do not fill the template; the text names the template and what is missing, never a value."""

    reason = FailureReason.TEMPLATE


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """What is sent; `subject` is empty for text messages."""

    subject: str
    text: str


class MessageTemplates:
    """All templates by `<name>.<language>.<channel>`, compiled when built, so that a broken one stops the start and not a message."""

    def __init__(self, sources: Mapping[str, str], zone: str = "Asia/Shanghai") -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=DictLoader(dict(sources)), undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
        )
        # A template works with its values; copying jinja's functions for each message takes longer than filling it.
        self._environment.globals.clear()
        self._zone = ZoneInfo(zone)
        self._environment.filters["instant"] = self._instant
        self._compiled = {name: self._environment.get_template(name) for name in sources}
        absent = [
            name
            for name in (f"{DEFAULT_TEMPLATE}.{lang}.{channel}" for lang in LANGUAGES for channel in LONGEST_TEXT)
            if name not in sources
        ]
        if absent:
            raise ValueError(f"templates {', '.join(absent)} are missing: every language and channel needs a general one")

    def choose(self, names: tuple[str, ...], language: str, channel: str) -> str:
        """The first of the names that has a template, else the general one; empty for a channel that has none.

        `en-GB` counts as `en`, an unknown language as Chinese.
        """
        spoken = language.partition("-")[0].lower()
        spoken = spoken if spoken in LANGUAGES else LANGUAGES[0]
        offered = (f"{name}.{spoken}.{channel}" for name in (*names, DEFAULT_TEMPLATE))
        return next((name for name in offered if name in self._compiled), "")

    def render(self, name: str, values: Mapping[str, Any]) -> RenderedMessage:
        """Fill the template `name`; an e-mail's first line is its subject. Raises UnrenderableError."""
        channel = name.rpartition(".")[2]
        try:
            text = self._fill(self._compiled[name], values)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise TemplateRenderError(f"template {name}: {type(error).__name__}") from error
        subject, body = ("", text) if channel == "sms" else _split(text)
        if not body:
            raise TemplateRenderError(f"template {name}: the text is empty")
        return RenderedMessage(one_line(subject, LONGEST_SUBJECT), _cut(body, LONGEST_TEXT[channel]))

    def _fill(self, template: Template, values: Mapping[str, Any]) -> str:
        return _CONTROL.sub("", template.render(truncate_values(dict(values)))).strip()

    def _instant(self, value: datetime | str) -> str:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("an instant needs an offset")
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")


def truncate_values(value: Any, depth: int = 4) -> Any:
    """The value with long texts and lists cut, so that no request makes a message grow without limit."""
    if isinstance(value, str):
        return _cut(value, LONGEST_VALUE)
    if depth == 0:
        return ""
    if isinstance(value, Mapping):
        return {str(key): truncate_values(item, depth - 1) for key, item in list(value.items())[:100]}
    if isinstance(value, list | tuple):
        return [truncate_values(item, depth - 1) for item in value[:50]]
    return value


def one_line(text: str, longest: int) -> str:
    """The text without line breaks or controls: nothing in it can start a header of its own."""
    return _cut(" ".join(_CONTROL.sub("", text).split()), longest)


def _split(text: str) -> tuple[str, str]:
    subject, _, body = text.partition("\n")
    return subject, body.strip()


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
