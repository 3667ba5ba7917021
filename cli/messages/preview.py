"""Renders one message of a real case or of an example, and shows what each channel makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from cli.messages.pack_messages import SAMPLE_FOLLOW
from services.notify.domain.delivery_planning import template_names
from services.notify.domain.message_templates import MessageTemplates, RenderedMessage
from services.notify.domain.message_values import MessageForm, MessageTexts, message_values
from services.notify.domain.recipients import COMPLAINANT, UNNAMED_RECIPIENT
from services.notify.domain.sms.parts import count_parts
from shared.contracts.events.notifications import NotificationRequested


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """A rendered message, its channel and language, and the template that it is made from."""

    channel: str
    language: str
    template: str
    rendered: RenderedMessage

    @property
    def cost(self) -> str:
        """Cost or length of the message, in the unit of its channel."""
        if self.channel == "sms":
            count = count_parts(self.rendered.text)
            return f"{count.parts} part{'s' if count.parts > 1 else ''}, {count.units} units of {count.encoding}"
        return f"{len(self.rendered.text)} characters, {len(self.rendered.text.encode())} bytes"


def matching_request(requests: Iterable[NotificationRequested], template: str) -> NotificationRequested | None:
    """The last of the requests that the template is for: by the entry, by `<procedure>.<entry>`, or by the kind of message."""
    matching = None
    for request in requests:
        if template in (request.rule, *template_names(request, _recipient(request))):
            matching = request
    return matching


def preview_message(
    request: NotificationRequested, template: str, templates: MessageTemplates, texts: MessageTexts, channel: str, language: str
) -> MessagePreview | None:
    """The message of a request with a template, an entry's or a kind's; None if there is no such template for the channel."""
    names = template_names(request, _recipient(request))
    # An entry names no template: its message has the first that exists, as when it is sent.
    name = templates.choose((template, *names) if template != request.rule else names, language, channel)
    if not name:
        return None
    follow = SAMPLE_FOLLOW.values(request.case) if _recipient(request) == COMPLAINANT else {}
    values = message_values(request, MessageForm(templates.language(language), channel, templates.format_instant), texts, follow)
    return MessagePreview(channel, name.rpartition(".")[0].rpartition(".")[2], name, templates.render(name, values, channel))


def preview_text(previews: Iterable[MessagePreview]) -> str:
    """The previews, one below the other."""
    parts = []
    for preview in previews:
        subject = [f"subject: {preview.rendered.subject}"] if preview.rendered.subject else []
        head = f"== {preview.channel}, {preview.language} ({preview.template}.j2): {preview.cost}"
        parts.append("\n".join([head, *subject, "", preview.rendered.text, ""]))
    return "\n".join(parts)


def known_templates(requests: Iterable[NotificationRequested]) -> list[str]:
    """The entries of the requests, for an error that lists what can be shown."""
    return sorted({request.rule for request in requests if request.rule})


def _recipient(request: NotificationRequested) -> str:
    return (request.recipients or request.persons or [UNNAMED_RECIPIENT])[0]
