"""Builds notify from its settings: the only module that connects its parts."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from services.notify import api, api_receipts, handlers, metrics, timers
from services.notify.application.carried_outcomes import PublishCarriedOutcomes
from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.application.delivery_requests import PlanDeliveries
from services.notify.application.delivery_sending import SendDeliveries
from services.notify.application.digest_closing import CloseDigests
from services.notify.config import NotifySettings
from services.notify.domain import quiet_hours
from services.notify.domain.delivery_planning import FollowLinks, PlanningContext
from services.notify.domain.digests.pacing import DigestPolicy
from services.notify.domain.digests.policies import digest_policies
from services.notify.domain.mail.layout import LAYOUT_NAME
from services.notify.domain.message_templates import MessageTemplates
from services.notify.domain.message_values import MessageTexts, ProcedureTitles, class_titles, fact_titles
from services.notify.domain.recipients import RecipientDirectory
from services.notify.domain.required_templates import required_templates
from services.notify.domain.retry_policy import RetryPolicy
from services.notify.previews import routes as preview_routes
from services.notify.previews.rendering import PreviewMessages
from services.notify.providers.mail.kind import SmtpSettings, build_smtp
from services.notify.providers.pool import ChannelPool
from services.notify.providers.pool_building import pools_of_file, single_provider_pool, sole_providers
from services.notify.providers.provider import Provider
from services.notify.providers.providers_file import load_providers
from services.notify.providers.sms.http_sms import HttpSmsOptions, HttpSmsProvider
from shared.contracts.follow_codes import follow_key
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.procedures.loading.loader import Pack, installed_packs, installed_versions, load_pack
from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured
from shared.runtime.http.identity.people import open_people
from shared.runtime.service import Service

_NEWS_PAUSE_SECONDS = 0.5
"""Between two batches of outcomes: anyone who reads them pays for each batch, and no one waits for the outcome of a message (ADR 80)."""
TEMPLATES_FOLDER = Path(__file__).parent / "templates"


def build(settings: NotifySettings) -> Service:
    """The service, ready to run; raises for an organisation file, a template or a setting that cannot be used."""
    service = Service("notify", settings, migrations="services.notify.migrations")
    service.relay.pause_seconds = _NEWS_PAUSE_SECONDS
    providers = configured_providers(settings, service.clock)
    policy = RetryPolicy(
        settings.delivery_retry_first, settings.delivery_retry_longest, settings.delivery_attempts, settings.delivery_patience
    )
    channels = frozenset(provider.channel for provider in providers)
    context = planning_context(settings, channels)
    requests = PlanDeliveries(context, service.key_ring, service.clock)
    lane_share = int(settings.delivery_concurrency * settings.delivery_lane_share)
    senders = [
        SendDeliveries(provider, service.key_ring, service.clock, policy, lane_share, context.quiet_hours, service.tracing)
        for provider in providers
    ]
    wakes = timers.register(service, senders, settings)

    def wake() -> None:
        for event in wakes:
            event.set()

    digests = CloseDigests(service.database, context.templates, service.clock)
    timers.register_digests(service, digests, PublishCarriedOutcomes(service.database), wake)
    receipts = RecordReceipts(service.database, service.clock, sole_providers(providers))
    handlers.register(service, requests, receipts, wake)
    api.add_routes(service.app, receipts, settings.sms_receipt_secret.get_secret_value(), service.clock)
    by_id = {provider_id: provider for pool in providers for provider_id, provider in pool.providers.items()}
    metrics.initialise_providers(by_id)
    api_receipts.add_routes(service.app, receipts, by_id, service.clock)
    people = open_people(context.texts.organisation, settings, service.clock)
    service.include_router(preview_routes.router(people, PreviewMessages(context)))
    timers.register_listeners(service, receipts, by_id)
    return service


def configured_providers(settings: NotifySettings, clock: Clock) -> list[ChannelPool]:
    """One pool for each channel that has providers: those of the file, else the one that the environment describes."""
    pools = pools_of_file(load_providers(settings.providers), clock, settings.receipts_url) if settings.providers else []
    for pool in pools:
        if settings.delivery_lease < pool.longest_attempt:
            raise Misconfigured(
                f"providers of channel {pool.channel}: an attempt can take {pool.longest_attempt:g} s with all their timeouts, longer than "
                f"JIESU_DELIVERY_LEASE ({settings.delivery_lease:g} s), and would be repeated meanwhile; lower timeouts or raise the lease"
            )
    covered = {pool.channel for pool in pools}
    by_environment = [(factory.__name__.lstrip("_"), factory(settings, clock)) for factory in PROVIDER_FACTORIES]
    return pools + [
        single_provider_pool(name, provider)
        for name, provider in by_environment
        if provider is not None and provider.channel not in covered
    ]


def planning_context(settings: NotifySettings, channels: frozenset[str]) -> PlanningContext:
    """The context of planning; `channels` are those that have a provider."""
    organisation = load_checked_organisation(settings.organisation)
    directory = RecipientDirectory(organisation, settings.phone_region, settings.default_channels, settings.complainant_language)
    packs = messaging_packs(organisation, settings.organisation.parent)
    required = required_templates(pack.procedure for pack in packs)
    templates = MessageTemplates(template_sources(settings.templates), settings.zone, required)
    quiet = quiet_hours.parse_quiet_hours(settings.quiet_hours, settings.zone)
    texts = MessageTexts(organisation, procedure_titles(packs))
    policies = digest_policies(organisation, default_digest_policy(settings))
    return PlanningContext(directory, templates, channels, texts, quiet, _follow_links(settings), policies)


def default_digest_policy(settings: NotifySettings) -> DigestPolicy:
    """The digest limits of people without limits in the organisation file."""
    return DigestPolicy(settings.digest_after, timedelta(seconds=settings.digest_window), timedelta(seconds=settings.digest_urgent_gap))


def _follow_links(settings: NotifySettings) -> FollowLinks | None:
    secret = settings.follow_key.get_secret_value()
    return FollowLinks(follow_key(secret), settings.follow_url) if secret else None


def procedure_titles(packs: Iterable[Pack]) -> dict[tuple[str, int], ProcedureTitles]:
    """Titles and clause texts of the packs, by procedure and version."""
    return {
        (pack.procedure.id, pack.procedure.version): ProcedureTitles(
            pack.procedure.title, pack.clauses, class_titles(pack.procedure), fact_titles(pack.procedure)
        )
        for pack in packs
    }


def messaging_packs(organisation: Organisation, folder: Path) -> list[Pack]:
    """The packs whose cases can request messages: every installed version, and the files of the sources, relative to `folder`."""
    # A case keeps the version that it was registered under, so templates of older versions are still in use.
    installed = [f"{pack}@{version}" for pack in installed_packs() for version in installed_versions(pack)]
    references = [f"{s.procedure}@{s.version}" if s.version else s.procedure for s in organisation.sources]
    return [load_pack(reference, base_folder=folder) for reference in dict.fromkeys([*installed, *references])]


def template_sources(custom_folder: Path | None) -> dict[str, str]:
    """The installed templates by name; a template of the custom folder replaces the installed one of the same name."""
    paths = [path for folder in _template_folders(custom_folder) for path in sorted(folder.glob("*.j2"))]
    return {path.stem: path.read_text(encoding="utf-8") for path in paths if path.stem != LAYOUT_NAME}


def _template_folders(custom_folder: Path | None) -> list[Path]:
    return [TEMPLATES_FOLDER, *([custom_folder] if custom_folder else [])]


def _smtp(settings: NotifySettings, clock: Clock) -> Provider | None:
    if not settings.smtp_host:
        return None
    names = ("host", "port", "security", "username", "sender", "ca_file", "html", "dkim_selector", "dkim_key_file", "dkim_domain")
    smtp = SmtpSettings(
        **{name: getattr(settings, f"smtp_{name}") for name in names},
        templates=settings.templates,
        reply_address=settings.mail_reply_address,
    )
    password, secret = settings.smtp_password.get_secret_value(), settings.mail_key.get_secret_value()
    return build_smtp(smtp, password, clock, settings.smtp_timeout, secret)


def _http_sms(settings: NotifySettings, _clock: Clock) -> Provider | None:
    if not settings.sms_url:
        return None
    options = HttpSmsOptions(
        url=settings.sms_url, token=settings.sms_token.get_secret_value(), sender=settings.sms_sender, timeout=settings.sms_timeout
    )
    return HttpSmsProvider(options)


PROVIDER_FACTORIES: tuple[Callable[[NotifySettings, Clock], Provider | None], ...] = (_smtp, _http_sms)
"""The providers that environment variables can describe, one a channel; every other one needs the providers file."""
