"""Renders the words of requested messages, without addresses and without the complainant's code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.notify.domain.delivery_planning import FollowLinks, PlanningContext, template_names
from services.notify.domain.message_templates import RenderedMessage, TemplateRenderError
from services.notify.domain.message_values import MessageForm, MessageTexts, message_values
from services.notify.domain.recipients import COMPLAINANT, STAFF_CHANNELS, UNNAMED_RECIPIENT, resolve_recipients
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.organisation import Organisation

MASKED_CODE = "****"
_SHOWN_DIGITS = 4
_CONFIDENTIAL = {"zh": "（保密）", "en": "(confidential)"}


@dataclass(frozen=True, slots=True)
class PreviewedMessage:
    """The words of a request on one channel in one language, and the recipients who get them; empty where no template renders."""

    channel: str
    language: str
    recipients: tuple[str, ...]
    template: str
    words: RenderedMessage


class PreviewMessages:
    """Renders requests as they would be sent now, from the values that the reader may see."""

    def __init__(self, context: PlanningContext) -> None:
        # Whoever asks may name any person as the contact: his number must not be found out by it.
        texts = MessageTexts(_with_masked_phones(context.texts.organisation), context.texts.procedures)
        self._context = replace(context, texts=texts)

    def render(self, request: NotificationRequested) -> list[PreviewedMessage]:
        """One entry for each channel, language and kind of recipient; none for a request that another one's message includes."""
        if request.merged_into:
            return []
        groups: dict[tuple[str, str, bool], list[str]] = {}
        for to in resolve_recipients(request, self._context.directory, contact=None):
            is_complainant = to.id == COMPLAINANT
            if to.id == UNNAMED_RECIPIENT or (is_complainant and to.channel in STAFF_CHANNELS):
                continue
            language = self._context.directory.complainant_language if is_complainant else to.language
            key = (to.channel, self._context.templates.language(language), is_complainant)
            groups.setdefault(key, []).append(to.id)
        return [self._render_group(request, *key, tuple(dict.fromkeys(ids))) for key, ids in groups.items()]

    def _render_group(
        self, request: NotificationRequested, channel: str, language: str, is_complainant: bool, recipients: tuple[str, ...]
    ) -> PreviewedMessage:
        templates = self._context.templates
        form = MessageForm(language, channel, templates.format_instant)
        shown = request.model_copy(update={"values": _with_confidential_marks(request.values, language)})
        name = templates.choose(template_names(request, recipients[0]), language, channel)
        try:
            values = message_values(shown, form, self._context.texts, _masked_code(self._context.follow) if is_complainant else {})
            words = templates.render(name, values, channel) if name else RenderedMessage("", "")
        except (TemplateRenderError, ValueError):
            words = RenderedMessage("", "")
        return PreviewedMessage(channel, language, recipients, name, words)


def _with_confidential_marks(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The values with a mark for the matter: every request states it, so it is absent only where it is hidden from the reader."""
    items = [{"matter": _CONFIDENTIAL[language], **item} for item in values.get("items") or () if isinstance(item, Mapping)]
    return {"matter": _CONFIDENTIAL[language], **values, **({"items": items} if items else {})}


def _masked_code(follow: FollowLinks | None) -> dict[str, str]:
    """The code permits the complainant's actions, so that no one else may read it."""
    if follow is None:
        return {}
    return {"follow_code": MASKED_CODE, "follow_link": f"{follow.url.rstrip('/')}/{MASKED_CODE}" if follow.url else ""}


def _with_masked_phones(organisation: Organisation) -> Organisation:
    people = [
        person.model_copy(update={"phone": f"****{person.phone[-_SHOWN_DIGITS:]}"}) if person.phone else person
        for person in organisation.people
    ]
    return organisation.model_copy(update={"people": people})
