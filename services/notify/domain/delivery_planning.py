"""What a request for notification becomes: one delivery per recipient and channel, some of them failed at birth."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from services.notify.domain import quiet_hours
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.message_templates import MessageTemplates, RenderedMessage, TemplateRenderError
from services.notify.domain.quiet_hours import QuietHours
from services.notify.domain.recipients import COMPLAINANT, Recipient, RecipientDirectory, resolve_recipients
from shared.contracts.events.notifications import NotificationRequested

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:jiesu:delivery")


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One message to one recipient on one channel.

    `id` is the idempotency key that providers get: the same request makes the same id. `due_at` is in domain time.
    `reason` is set where the message can never be sent; then `address` and `text` are empty.
    """

    id: UUID
    case: str
    notification: str
    recipient: str
    channel: str
    template: str
    due_at: datetime
    address: str = ""
    subject: str = ""
    text: str = ""
    reason: FailureReason | None = None


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """Everything that planning reads besides the request: addresses, templates, channels that have a provider, quiet hours."""

    directory: RecipientDirectory
    templates: MessageTemplates
    channels: frozenset[str]
    quiet_hours: QuietHours | None = None


def plan_deliveries(
    request: NotificationRequested,
    request_id: UUID,
    context: PlanningContext,
    now: datetime,
    contact: Mapping[str, object] | None = None,
    contact_unreadable: bool = False,
) -> list[PlannedDelivery]:
    """The deliveries of a request; `contact` is the complainant's opened contact data, `sealed` says that it could not be opened."""
    notification = request.notification or str(request_id)
    return [
        _delivery(request, notification, recipient, context, now)
        for recipient in resolve_recipients(request, context.directory, contact, contact_unreadable)
    ]


def _delivery(request: NotificationRequested, notification: str, to: Recipient, desk: PlanningContext, now: datetime) -> PlannedDelivery:
    name = desk.templates.choose(_templates(request, to), to.language, to.channel)
    reason = to.reason or (None if to.channel in desk.channels else FailureReason.NO_PROVIDER)
    rendered = RenderedMessage("", "")
    if reason is None:
        try:
            rendered = desk.templates.render(name, template_values(request))
        except TemplateRenderError as error:
            reason = error.reason
    return PlannedDelivery(
        id=uuid5(_NAMESPACE, f"{request.case}|{notification}|{to.id}|{to.channel}"),
        case=request.case,
        notification=notification,
        recipient=to.id,
        channel=to.channel,
        template=name,
        due_at=quiet_hours.earliest_send_at(now, desk.quiet_hours, to.channel, request.urgent),
        address="" if reason else to.address or "",
        subject=rendered.subject,
        text=rendered.text,
        reason=reason,
    )


def _templates(request: NotificationRequested, to: Recipient) -> tuple[str, ...]:
    """What the recipient's text may be: what staff read about an event is not for the complainant, unless a procedure says so by name."""
    if to.id != COMPLAINANT:
        return request.template, request.about
    return request.template if request.template != request.about else "", COMPLAINANT


def template_values(request: NotificationRequested) -> dict[str, object]:
    """What a template may show: the request's values, and where they do not say so, the request's own fields; None counts as unset."""
    own = {
        "case": request.case,
        "number": request.case,
        "at": request.at,
        "clause": request.clause,
        "procedure": request.procedure,
        "about": request.about,
        "urgent": request.urgent,
    }
    return own | {name: value for name, value in request.values.items() if value is not None}
