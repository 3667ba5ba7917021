"""Plans the deliveries of a notification request: one for each recipient and channel; one that can never be sent has a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from services.notify.domain import quiet_hours
from services.notify.domain.digests import lines
from services.notify.domain.digests.pacing import DigestPolicy
from services.notify.domain.digests.policies import DigestPolicies
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.message_templates import MessageTemplates, RenderedMessage, TemplateRenderError
from services.notify.domain.message_values import MessageForm, MessageTexts, message_values
from services.notify.domain.quiet_hours import QuietHours
from services.notify.domain.recipients import COMPLAINANT, Recipient, RecipientDirectory, resolve_recipients
from services.notify.domain.required_templates import DIGEST_TEMPLATE, EVENT_TEMPLATE
from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.follow_codes import follow_code

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:jiesu:delivery")
_SPOKEN = "voice"
"""A phone call that a regulation requires (greentown 4.6) is made for each case, never in a digest."""
_DUTY_PREFIX = "duty:"
"""Reports of a procedure have such an id in place of a case's; their figures fit in no line of a table."""


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One message to one recipient on one channel.

    `id` is the idempotency key for the provider; the same request always gives the same id. `due_at` is in domain time.
    `reason` is set if the message can never be sent; `address` and `text` are then empty.
    `any_hour`: quiet hours do not delay it, at no attempt.
    `line` is its line in a digest, as JSON; `thing` identifies the content for a person: a second request with the same `thing` is a
    duplicate. `policy` is None for messages that are never collected, such as those to complainants.
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
    urgent: bool = False
    any_hour: bool = False
    line: str = ""
    thing: UUID | None = None
    policy: DigestPolicy | None = None
    digest_template: str = ""


@dataclass(frozen=True, slots=True)
class FollowLinks:
    """The key of the codes for complainants, and the public address of their page; empty if there is none."""

    key: bytes
    url: str = ""

    def values(self, case: str) -> dict[str, str]:
        """The values of `follow_code` and `follow_link` for a case."""
        code = follow_code(self.key, case)
        return {"follow_code": code, "follow_link": f"{self.url.rstrip('/')}/{code}" if self.url else ""}


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """The context of planning besides the request: `channels` are those that have a provider, `texts` the titles and names of ids."""

    directory: RecipientDirectory
    templates: MessageTemplates
    channels: frozenset[str]
    texts: MessageTexts
    quiet_hours: QuietHours | None = None
    follow: FollowLinks | None = None
    digests: DigestPolicies | None = None


def plan_deliveries(
    request: NotificationRequested,
    request_id: UUID,
    context: PlanningContext,
    now: datetime,
    contact: Mapping[str, object] | None = None,
    contact_unreadable: bool = False,
) -> list[PlannedDelivery]:
    """The deliveries of a request; none if another request's message includes it.

    `contact` is the complainant's decrypted contact data; `contact_unreadable` is True if it could not be decrypted.
    """
    if request.merged_into:
        return []
    notification = request.notification or str(request_id)
    return [
        _plan_delivery(request, notification, recipient, context, now)
        for recipient in resolve_recipients(request, context.directory, contact, contact_unreadable)
    ]


def _plan_delivery(
    request: NotificationRequested, notification: str, to: Recipient, context: PlanningContext, now: datetime
) -> PlannedDelivery:
    template = context.templates.choose(template_names(request, to.id), to.language, to.channel)
    reason = to.reason or (None if to.channel in context.channels else FailureReason.NO_PROVIDER)
    rendered, line = RenderedMessage("", ""), ""
    policy = _digest_policy(request, to, context)
    urgent = lines.is_urgent(request, now, policy.window if policy else timedelta(0))
    if reason is None:
        try:
            form = MessageForm(context.templates.language(to.language), to.channel, context.templates.format_instant)
            values = message_values(request, form, context.texts, _follow_values(request, to.id, context.follow))
            rendered = context.templates.render(template, values, to.channel)
            line = lines.digest_line(request, values, urgent=urgent).encode() if policy else ""
        except (TemplateRenderError, ValueError):
            reason = FailureReason.TEMPLATE
    is_exempt = request.urgent or bool(request.values.get("danger"))
    return PlannedDelivery(
        id=uuid5(_NAMESPACE, f"{request.case}|{notification}|{to.id}|{to.channel}"),
        case=request.case,
        notification=notification,
        recipient=to.id,
        channel=to.channel,
        template=template,
        due_at=quiet_hours.earliest_send_at(now, context.quiet_hours, to.channel, is_exempt),
        address="" if reason else to.address or "",
        subject=rendered.subject,
        text=rendered.text,
        reason=reason,
        urgent=urgent,
        any_hour=is_exempt,
        line=line,
        thing=None if reason or to.id == COMPLAINANT else lines.thing_id(request, to.id, to.channel),
        policy=None if reason else policy,
        digest_template=context.templates.choose((DIGEST_TEMPLATE,), to.language, to.channel),
    )


def _digest_policy(request: NotificationRequested, to: Recipient, context: PlanningContext) -> DigestPolicy | None:
    """The limits of the recipient; None for complainants, a procedure's own reports, and texts that the procedure itself names."""
    is_own_text = bool(request.template) and request.template != request.about
    if context.digests is None or to.id == COMPLAINANT or is_own_text or request.case.startswith(_DUTY_PREFIX):
        return None
    if to.channel == _SPOKEN:
        return None
    has_template = bool(context.templates.choose((DIGEST_TEMPLATE,), to.language, to.channel))
    return context.digests.policy(to.id) if has_template else None


def _follow_values(request: NotificationRequested, recipient_id: str, follow: FollowLinks | None) -> dict[str, str]:
    """Empty for other recipients: the code permits the complainant's actions."""
    return {} if follow is None or recipient_id != COMPLAINANT else follow.values(request.case)


def template_names(request: NotificationRequested, recipient_id: str) -> tuple[str, ...]:
    """The templates to look for, in order: the organisation's own for the entry, then that of the kind of message.

    A template that the procedure names has no substitute: another text would not meet the regulation.
    """
    entry_template = f"{request.procedure}.{request.rule}"
    if request.template and request.template != request.about:
        return (entry_template, request.template)
    if recipient_id == COMPLAINANT:
        return (entry_template, f"{COMPLAINANT}_{request.about}", COMPLAINANT)
    return (entry_template, request.about, EVENT_TEMPLATE) if request.about in EVENT_CLASSES else (entry_template, request.about)
