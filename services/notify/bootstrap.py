"""The only place where notify's parts are put together."""

from collections.abc import Callable
from pathlib import Path

from services.notify import api, handlers, timers
from services.notify.application.deliveries import Dispatch, Receipts, Requests
from services.notify.config import NotifySettings
from services.notify.domain import quiet_hours
from services.notify.domain.delivery_planning import Desk
from services.notify.domain.message_templates import Templates
from services.notify.domain.recipients import Directory
from services.notify.domain.retry_policy import Policy
from services.notify.providers.http_sms import HttpSms, SmsOptions
from services.notify.providers.provider import Provider
from services.notify.providers.smtp import Smtp
from services.notify.providers.smtp_sessions import SmtpOptions
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import Clock
from shared.runtime.service import Service

TEMPLATES = Path(__file__).parent / "templates"


def build(settings: NotifySettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation, the templates or a setting."""
    service = Service("notify", settings, migrations="services.notify.migrations")
    offered = providers(settings, service.clock)
    policy = Policy(settings.delivery_retry_first, settings.delivery_retry_longest, settings.delivery_attempts, settings.delivery_patience)
    requests = Requests(desk(settings, frozenset(p.channel for p in offered)), service.sealing, service.clock)
    dispatches = [Dispatch(provider, service.sealing, service.clock, policy) for provider in offered]
    wakes = timers.register(service, dispatches, settings)

    def wake() -> None:
        for event in wakes:
            event.set()

    handlers.register(service, requests, wake)
    receipts = Receipts(service.database, service.clock)
    service.router(api.router(receipts, settings.sms_receipt_secret.get_secret_value(), service.clock))
    return service


def providers(settings: NotifySettings, clock: Clock) -> list[Provider]:
    """Those that are configured, one a channel."""
    return [built for make in PROVIDERS if (built := make(settings, clock)) is not None]


def desk(settings: NotifySettings, channels: frozenset[str]) -> Desk:
    """What requests are planned with."""
    directory = Directory(
        load_organisation(settings.organisation), settings.phone_region, settings.default_channels, settings.complainant_language
    )
    quiet = quiet_hours.parse(settings.quiet_hours, settings.zone)
    return Desk(directory, Templates(sources(settings.templates), settings.zone), channels, quiet)


def sources(own: Path | None) -> dict[str, str]:
    """The installed templates, replaced by those of a folder where it has them."""
    folders = [TEMPLATES, *([own] if own else [])]
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
    return Smtp(options, clock)


def _http_sms(settings: NotifySettings, _clock: Clock) -> Provider | None:
    if not settings.sms_url:
        return None
    return HttpSms(SmsOptions(settings.sms_url, settings.sms_token.get_secret_value(), settings.sms_sender, settings.sms_timeout))


PROVIDERS: tuple[Callable[[NotifySettings, Clock], Provider | None], ...] = (_smtp, _http_sms)
