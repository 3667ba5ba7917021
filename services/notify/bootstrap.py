"""The only place where notify's parts are put together."""

from collections.abc import Callable
from pathlib import Path

from services.notify import api, handlers, timers
from services.notify.application.deliveries import PlanDeliveries, RecordReceipts, SendDeliveries
from services.notify.config import NotifySettings
from services.notify.domain import quiet_hours
from services.notify.domain.delivery_planning import PlanningContext
from services.notify.domain.message_templates import MessageTemplates
from services.notify.domain.recipients import RecipientDirectory
from services.notify.domain.retry_policy import RetryPolicy
from services.notify.providers.http_sms import HttpSmsOptions, HttpSmsProvider
from services.notify.providers.provider import Provider
from services.notify.providers.smtp import SmtpProvider
from services.notify.providers.smtp_sessions import SmtpOptions
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import Clock
from shared.runtime.service import Service

TEMPLATES_FOLDER = Path(__file__).parent / "templates"


def build(settings: NotifySettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation, the templates or a setting."""
    service = Service("notify", settings, migrations="services.notify.migrations")
    offered = configured_providers(settings, service.clock)
    policy = RetryPolicy(
        settings.delivery_retry_first, settings.delivery_retry_longest, settings.delivery_attempts, settings.delivery_patience
    )
    requests = PlanDeliveries(planning_context(settings, frozenset(p.channel for p in offered)), service.key_ring, service.clock)
    dispatches = [SendDeliveries(provider, service.key_ring, service.clock, policy) for provider in offered]
    wakes = timers.register(service, dispatches, settings)

    def wake() -> None:
        for event in wakes:
            event.set()

    handlers.register(service, requests, wake)
    receipts = RecordReceipts(service.database, service.clock)
    api.add_routes(service.app, receipts, settings.sms_receipt_secret.get_secret_value(), service.clock)
    return service


def configured_providers(settings: NotifySettings, clock: Clock) -> list[Provider]:
    """Those that are configured, one a channel."""
    return [built for make in PROVIDER_FACTORIES if (built := make(settings, clock)) is not None]


def planning_context(settings: NotifySettings, channels: frozenset[str]) -> PlanningContext:
    """What requests are planned with."""
    directory = RecipientDirectory(
        load_organisation(settings.organisation), settings.phone_region, settings.default_channels, settings.complainant_language
    )
    quiet = quiet_hours.parse_quiet_hours(settings.quiet_hours, settings.zone)
    return PlanningContext(directory, MessageTemplates(template_sources(settings.templates), settings.zone), channels, quiet)


def template_sources(custom_folder: Path | None) -> dict[str, str]:
    """The installed templates, replaced by those of a folder where it has them."""
    folders = [TEMPLATES_FOLDER, *([custom_folder] if custom_folder else [])]
    return {path.stem: path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.glob("*.j2"))}


def _smtp(settings: NotifySettings, clock: Clock) -> Provider | None:
    if not settings.smtp_host:
        return None
    options = SmtpOptions(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_username,
        settings.smtp_password.get_secret_value(),
        settings.smtp_sender,
        settings.smtp_timeout,
        settings.smtp_ca_file,
    )
    return SmtpProvider(options, clock)


def _http_sms(settings: NotifySettings, _clock: Clock) -> Provider | None:
    if not settings.sms_url:
        return None
    return HttpSmsProvider(
        HttpSmsOptions(settings.sms_url, settings.sms_token.get_secret_value(), settings.sms_sender, settings.sms_timeout)
    )


PROVIDER_FACTORIES: tuple[Callable[[NotifySettings, Clock], Provider | None], ...] = (_smtp, _http_sms)
