"""Renders the HTML of a mail from its text: one layout for all templates, so that text and HTML cannot differ."""

import re

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain.mail.blocks import CellTable, LabelledRows, MailBlock, NumberedItems, mail_blocks, text_pieces

LAYOUT_NAME = "_layout.html"
"""The name of the layout among the templates: the folder of JIESU_TEMPLATES may replace it."""
# Whatever is loaded when a mail is opened reports to its server that, when and where it was read; scripts no client runs.
_REMOTE = re.compile(
    r"<\s*(?:script|link|iframe|object|embed|form|img|video|audio)\b|\bsrc\s*=|url\s*\(|@import|\bon\w+\s*=", re.IGNORECASE
)
_LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}


class MailLayout:
    """The compiled layout; raises `ValueError` for one that is broken, or that loads remote content or scripts."""

    def __init__(self, source: str) -> None:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
        environment.globals.clear()
        environment.filters["pieces"] = text_pieces
        if reference := _REMOTE.search(source):
            raise ValueError(f"template {LAYOUT_NAME}: takes no remote content and no scripts; remove {reference[0].strip()!r}")
        try:
            self._template = environment.from_string(source)
            # A layout that needs a value which no mail has would fail for every mail.
            self.render("subject", "label: value\nother: value\n\n1. item\n\na | b\nc | d\n\nhttps://example.org/", "zh")
        except TemplateError as error:
            raise ValueError(
                f"template {LAYOUT_NAME}: cannot be rendered ({type(error).__name__}); see services/notify/templates"
            ) from error

    def render(self, subject: str, text: str, language: str) -> str:
        """The HTML that states what subject and text state."""
        blocks = [(_kind(block), block) for block in mail_blocks(text)]
        return self._template.render(subject=subject, blocks=blocks, language=_LANGUAGE_TAGS.get(language, language or "zh-CN"))


def _kind(block: MailBlock) -> str:
    match block:
        case NumberedItems():
            return "items"
        case LabelledRows():
            return "rows"
        case CellTable():
            return "table"
    return "paragraph"
