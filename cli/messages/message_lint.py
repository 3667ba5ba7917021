"""Checks rendered messages: parts of text messages, length, subject, and what a channel cannot carry."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.messages.entry_requests import entry_requests
from cli.messages.sample_case import SAMPLE_SOURCE, with_sample_titles
from cli.messages.template_sources_lint import MessageFinding, lint_sources
from services.notify.bootstrap import messaging_packs, procedure_titles, template_sources
from services.notify.domain.delivery_planning import template_names
from services.notify.domain.message_templates import CHANNELS, LANGUAGES, LONGEST_TEXT, MessageTemplates, TemplateRenderError
from services.notify.domain.message_values import MessageForm, MessageTexts, message_values
from services.notify.domain.required_templates import ENGINE_TEMPLATES, required_templates
from services.notify.domain.sms.parts import count_parts
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.loading.loader import Pack
from shared.procedures.organisation import Organisation, open_organisation

LONGEST_READABLE_SUBJECT = 78
"""RFC 5322, 2.1.1: longer lines are folded, and lists of mails cut the subject there at the latest."""
_LINK = re.compile(r"https?://")


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """Limits of a message's cost; `max_parts` of a text message with the longest words that people may write."""

    max_parts: int = 3


def lint_pack_messages(
    pack: Pack, templates: MessageTemplates | None = None, organisation: Organisation | None = None, limits: MessageLimits | None = None
) -> Iterator[MessageFinding]:
    """Findings for the messages of a pack's entries, with the longest words, in both languages and on each channel."""
    templates = templates or MessageTemplates(template_sources(None))
    texts = {language: _texts(pack, organisation, language) for language in LANGUAGES}
    seen: set[MessageFinding] = set()
    for request in entry_requests(pack):
        for channel in request.by:
            for language in LANGUAGES:
                for finding in _lint_message(request, language, str(channel), templates, texts[language], limits or MessageLimits()):
                    if finding not in seen:
                        seen.add(finding)
                        yield finding


def _texts(pack: Pack, organisation: Organisation | None, language: str) -> MessageTexts:
    named = organisation
    if named is None:
        named = with_sample_titles(open_organisation())
        if language == "en":  # a Chinese name would make every English text message one of UCS-2
            named = named.model_copy(update={"sources": [SAMPLE_SOURCE.model_copy(update={"contact_name": "Customer service"})]})
    return MessageTexts(named, procedure_titles([pack]))


def lint_organisation_messages(
    organisation: Organisation, folder: Path, custom_templates: Path | None, limits: MessageLimits | None = None
) -> Iterator[MessageFinding]:
    """Findings for the organisation's templates, and for the messages of its procedures' newest versions with them."""
    sources = template_sources(custom_templates)
    packs = messaging_packs(organisation, folder)
    missing = [name for name in required_templates(pack.procedure for pack in packs) if name not in sources]
    for name in missing:
        yield MessageFinding(
            "error", f"{name}.j2", "procedures or the engine ask for it and notify does not start without it; add the file"
        )
    custom = [path.stem for path in sorted(custom_templates.glob("*.j2"))] if custom_templates else []
    findings = list(lint_sources(sources, [name for name in custom if name in sources], names_asked_for(packs), CHANNELS))
    yield from findings
    yield from _lint_names(organisation)
    if not missing and not any(finding.level == "error" for finding in findings):
        templates = MessageTemplates(sources)
        used = {source.procedure for source in organisation.sources}
        for pack in _newest(pack for pack in packs if pack.procedure.id in used):
            yield from lint_pack_messages(pack, templates, organisation, limits)


def names_asked_for(packs: Iterable[Pack]) -> set[str]:
    """The names of templates, without language and channel, that requests of these packs look for."""
    names = {*ENGINE_TEMPLATES}
    for pack in packs:
        for request in entry_requests(pack):
            names.update(template_names(request, request.recipients[0]))
    return names


def _newest(packs: Iterable[Pack]) -> list[Pack]:
    newest: dict[str, Pack] = {}
    for pack in packs:
        known = newest.get(pack.procedure.id)
        if known is None or pack.procedure.version > known.procedure.version:
            newest[pack.procedure.id] = pack
    return list(newest.values())


def _lint_names(organisation: Organisation) -> Iterator[MessageFinding]:
    """Departments whose title a reader of the organisation's languages does not get."""
    languages = {"en" if person.language.lower().startswith("en") else "zh" for person in organisation.people}
    for department in organisation.departments:
        for language in sorted(languages):
            if not getattr(department, language):
                shown = "the title of the other language" if department.zh or department.en else "its id"
                yield MessageFinding("warning", f"department {department.id}", f"has no {language}: messages show {shown}; add it")


def _lint_message(
    request: NotificationRequested, language: str, channel: str, templates: MessageTemplates, texts: MessageTexts, limits: MessageLimits
) -> Iterator[MessageFinding]:
    where = f"{request.procedure}/{request.rule} {request.about} ({language}, {channel})"
    name = templates.choose(template_names(request, request.recipients[0]), language, channel)
    if not name:
        yield MessageFinding("error", where, "has no template; add one, or correct the name in the procedure")
        return
    try:
        values = message_values(request, MessageForm(language, channel, templates.format_instant), texts)
        rendered = templates.render(name, values, channel)
    except (TemplateRenderError, ValueError) as error:
        yield MessageFinding("error", where, f"cannot be rendered ({error}); correct {name}.j2")
        return
    if channel == "sms" and (count := count_parts(rendered.text)).parts > limits.max_parts:
        remedy = f"shorten {name}.j2 or the wording; each part is charged"
        yield MessageFinding("warning", where, f"takes {count.parts} parts ({count.encoding}), at most {limits.max_parts}; {remedy}")
    if rendered.text.endswith("…") and len(rendered.text) == LONGEST_TEXT[channel]:
        yield MessageFinding("warning", where, f"is cut at {LONGEST_TEXT[channel]} characters; shorten {name}.j2 or the wording")
    if len(rendered.subject) > LONGEST_READABLE_SUBJECT:
        remedy = f"shorten the first line of {name}.j2"
        yield MessageFinding(
            "warning", where, f"has a subject of {len(rendered.subject)} characters, over {LONGEST_READABLE_SUBJECT}; {remedy}"
        )
    if channel == "voice" and _LINK.search(rendered.text):
        yield MessageFinding("warning", where, f"reads out a web address; leave it out of {name}.j2")
