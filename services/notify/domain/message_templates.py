"""Renders subject and text of a message in a sandbox: bounded in size, without control characters that could become a header."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.sms.gsm7 import is_gsm7
from shared.procedures.model.wording import PLACEHOLDERS

LONGEST_SUBJECT = 150
LONGEST_TEXT = {"sms": 500, "email": 20_000, "chat": 6_000, "voice": 500}
"""In characters, by channel; 500 Chinese characters are eight parts of a text message, or two minutes of speech.

A chat provider shortens the text further, by its product's limit in bytes."""
CHANNELS = tuple(LONGEST_TEXT)
SUBSTITUTE_CHANNELS = {"chat": "email", "voice": "sms"}
"""Channel → the channel whose template it uses without a template of its own: chat uses that of email, voice that of sms."""
CHANNELS_WITH_SUBJECT = frozenset({"email", "chat"})
LONGEST_VALUE = 2_000
LONGEST_LIST = 50
LONGEST_SMS_VALUE = 60
"""Characters of a person's words in a text message (filter `short`): with case, clause and dates it stays below three parts."""
LONGEST_SMS_WORDS = 40
LONGEST_SMS_MATTER = 24
"""Characters of a person's words, and of the matter, inside a procedure's wording in a text message (filter `brief` for the matter)."""
LANGUAGES = ("zh", "en")
EMPTY_VALUES: dict[str, Any] = {
    **dict.fromkeys(PLACEHOLDERS, ""),
    "goes_on": False,
    "next_date": "",
    "clock": "",
    "message": "",
    "cited": "",
    "overdue": False,
    "urgent": False,
    "items": [],
    "values": {},
    # Of the template `digest`.
    **dict.fromkeys(("count", "urgent_count", "overdue_count", "unlisted"), 0),
    **dict.fromkeys(("rows", "further", "first_numbers"), ()),
}
"""Every name that an installed template reads, so that a value which a case lacks is empty and not an error."""
# Line separators would end a header line, direction marks disguise text, lone surrogates cannot be encoded as UTF-8.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")
"""Parts of a template that a case leaves empty."""


class TemplateRenderError(ValueError):
    """A template cannot be rendered with these values; the text names the template and the kind of error, never a value."""

    reason = FailureReason.TEMPLATE


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """Subject and text of a message; `subject` is empty for text messages and calls."""

    subject: str
    text: str


class MessageTemplates:
    """All templates by `<name>.<language>.<channel>`, compiled at construction.

    Raises `ValueError` if one of the `required` names is missing, jinja's `TemplateError` for a broken template: either prevents the
    start of the service, where a message would be lost later.
    """

    def __init__(self, sources: Mapping[str, str], zone: str = "Asia/Shanghai", required: Collection[str] = ()) -> None:
        # Messages are plain text: autoescaping would put HTML entities into them.
        self.environment = ImmutableSandboxedEnvironment(
            loader=DictLoader(dict(sources)), undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
        )
        # Jinja copies its globals (range, dict, …) for each rendering, which takes longer than the rendering; templates need none.
        self.environment.globals.clear()
        self._zone = ZoneInfo(zone)
        self.environment.filters["instant"] = self.format_instant
        self.environment.filters["short"] = lambda text: cut(" ".join(str(text).split()), LONGEST_SMS_VALUE)
        self.environment.filters["brief"] = lambda text: cut(" ".join(str(text).split()), LONGEST_SMS_MATTER)
        self._compiled = {name: self.environment.get_template(name) for name in sources}
        if missing := [name for name in required if name not in sources]:
            raise ValueError(
                f"templates: {', '.join(missing)} are missing, and procedures or the engine ask for them; "
                "add <name>.<language>.<channel>.j2 files to the folder of JIESU_TEMPLATES"
            )

    def choose(self, names: tuple[str, ...], language: str, channel: str) -> str:
        """The first of the names that has a template for the channel, else for its substitute; empty if none has.

        An organisation's own template for an entry on the substitute comes before a general one of the channel.
        """
        channels = [channel, *filter(None, [SUBSTITUTE_CHANNELS.get(channel)])]
        candidates = (f"{name}.{self.language(language)}.{candidate}" for name in names for candidate in channels)
        return next((name for name in candidates if name in self._compiled), "")

    def language(self, language: str) -> str:
        """The language of the templates that a recipient gets; `en-GB` counts as `en`, an unknown one as Chinese."""
        primary = language.partition("-")[0].lower()
        return primary if primary in LANGUAGES else LANGUAGES[0]

    def render(
        self, name: str, values: Mapping[str, Any], channel: str = "", *, longest_list: int = LONGEST_LIST, longest_text: int | None = None
    ) -> RenderedMessage:
        """Render the template `name` for a channel, default its own; the first line of an e-mail's is the subject.

        Raises `TemplateRenderError`.
        """
        own_channel = name.rpartition(".")[2]
        try:
            text = self._render_text(self._compiled[name], truncate_values(dict(values), longest_list=longest_list))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise TemplateRenderError(f"template {name}: {type(error).__name__}") from error
        subject, body = _split(text) if own_channel in CHANNELS_WITH_SUBJECT else ("", text)
        if not body:
            raise TemplateRenderError(f"template {name}: the text is empty")
        channel = channel or own_channel
        body = cut(body, longest_text or LONGEST_TEXT[channel])
        return RenderedMessage(one_line(subject, LONGEST_SUBJECT), in_cheapest_alphabet(body) if channel == "sms" else body)

    def _render_text(self, template: Template, values: Mapping[str, Any]) -> str:
        text = template.render({**EMPTY_VALUES, **values})
        return _BLANK_LINES.sub("\n\n", _CONTROL.sub("", text)).strip()

    def format_instant(self, value: datetime | str) -> str:
        """The instant in the organisation's zone, to the minute. Raises `ValueError` for text that is none, or has no offset."""
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("an instant needs an offset")
        return instant.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")


def template_language(name: str) -> str:
    """The language in the name of a template, `<name>.<language>.<channel>`; empty for another name."""
    language = name.rpartition(".")[0].rpartition(".")[2]
    return language if language in LANGUAGES else ""


def in_cheapest_alphabet(text: str) -> str:
    """The text with three full stops for each ellipsis if that alone keeps it in GSM-7, whose parts hold more than twice as many."""
    without = text.replace("…", "...")
    return without if is_gsm7(without) else text


def truncate_values(value: Any, depth: int = 4, longest_list: int = LONGEST_LIST) -> Any:
    """The value with long texts, lists and nested values cut, so that the size of a message is bounded."""
    if isinstance(value, str):
        return cut(value, LONGEST_VALUE)
    if depth == 0:
        return ""
    if isinstance(value, Mapping):
        return {str(key): truncate_values(item, depth - 1, longest_list) for key, item in list(value.items())[:100]}
    if isinstance(value, list | tuple):
        return [truncate_values(item, depth - 1, longest_list) for item in value[:longest_list]]
    return value


def one_line(text: str, longest: int) -> str:
    """The text without line breaks and control characters, so that it cannot inject a mail header."""
    return cut(" ".join(_CONTROL.sub("", text).split()), longest)


def _split(text: str) -> tuple[str, str]:
    subject, _, body = text.partition("\n")
    return subject, body.strip()


def cut(text: str, longest: int) -> str:
    """The text, with an ellipsis at the end where it is longer."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
