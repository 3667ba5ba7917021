"""The messages of a pack as plain text, as one HTML page, and as a page of the reference."""

from collections.abc import Iterable
from html import escape

from cli.messages.pack_messages import PackMessage
from services.notify.domain.message_templates import LANGUAGES, RenderedMessage
from shared.procedures.loading.loader import Pack
from shared.procedures.model.procedure import Title

_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}"
    "h2{font-size:1rem;margin:2.5rem 0 .5rem;border-top:1px solid #d0d7de;padding-top:1rem}"
    "article{border:1px solid #d0d7de;border-radius:6px;padding:.75rem 1rem;margin:.5rem 0;white-space:pre-wrap}"
    "b{display:block;margin-bottom:.25rem}small{color:#57606a}"
)


def messages_text(messages: Iterable[PackMessage], language: str) -> str:
    """The messages in one language, one after the other."""
    lines: list[str] = []
    for message in messages:
        lines.append(f"== {_heading(message)}")
        for channel, rendered in _in_language(message, language):
            lines += [f"-- {channel}{': ' if rendered.subject else ''}{rendered.subject}", rendered.text]
        lines.append("")
    return "\n".join(lines)


def messages_html(title: Title, messages: Iterable[PackMessage], language: str) -> str:
    """One self-contained page with the messages in one language."""
    heading = escape(title.en if language == "en" else title.zh)
    parts = [
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{heading}</title><style>{_STYLE}</style><h1>{heading}</h1>'
    ]
    for message in messages:
        parts.append(f"<h2>{escape(_heading(message))}</h2>")
        for channel, rendered in _in_language(message, language):
            subject = f"<b>{escape(rendered.subject)}</b>" if rendered.subject else ""
            parts.append(f"<small>{channel}</small><article>{subject}{escape(rendered.text)}</article>")
    return "\n".join(parts) + "\n"


def messages_page(pack: Pack, messages: Iterable[PackMessage], generated: str) -> str:
    """The reference page of a pack: each message in both languages."""
    title = pack.procedure.title
    parts = [generated, f"# {title.zh} · {title.en}", "Every message that the scenarios of this regulation cause, for a sample case."]
    for message in messages:
        parts.append(f"## {_heading(message)}")
        for language in LANGUAGES:
            for channel, rendered in _in_language(message, language):
                subject = f"{rendered.subject}\n\n" if rendered.subject else ""
                parts.append(f"{channel}, {language}\n\n```text\n{subject}{rendered.text}\n```")
    return "\n\n".join(parts) + "\n"


def _heading(message: PackMessage) -> str:
    return f"{message.rule} · {message.about} → {', '.join(message.recipients)}"


def _in_language(message: PackMessage, language: str) -> list[tuple[str, RenderedMessage]]:
    return [(channel, rendered) for (each, channel), rendered in message.rendered.items() if each == language]
