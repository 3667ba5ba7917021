"""Builds the desk from its settings: the only module that connects its parts."""

from services.desk import handlers, metrics, timers
from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.inbox import Inbox
from services.desk.application.live_feed import LiveFeed
from services.desk.application.projecting import ProjectRecords
from services.desk.application.registration.entry_sources import EntrySources
from services.desk.application.regulations import Regulations
from services.desk.application.service_client import ServiceClient
from services.desk.config import DeskSettings
from services.desk.pages import routes
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import Pages
from services.desk.pages.shell.names import Names
from services.desk.sign_in import setup as sign_in
from services.desk.storage.reading_progress import ReadingProgress
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.clock import uuid7
from shared.runtime.service import Service


def build(settings: DeskSettings) -> Service:
    """The service, ready to run; raises for an organisation file, a template or a setting that cannot be used."""
    service = Service("desk", settings, migrations="services.desk.migrations")
    organisation = load_checked_organisation(settings.organisation)
    progress = ReadingProgress(uuid7())
    feed = LiveFeed(service.database, service.clock, settings.desk_live_pages)
    confidential = ConfidentialFields(organisation, settings.organisation.parent)
    handlers.register(service, ProjectRecords(confidential, progress))
    urls = {name: getattr(settings, f"desk_{name}_url") for name in ("sla", "intake", "triage", "notify")}
    client = ServiceClient(urls, settings.desk_timeout)
    timers.register(service, progress, feed, client)
    app = service.app
    app.root_path = settings.desk_path
    zone = organisation_zone(organisation)
    inbox = Inbox(service.database, service.clock, zone)
    regulations = Regulations(organisation, settings.organisation.parent)
    pages = Pages(settings, feed, zone, Names(organisation, regulations))
    entry_sources = EntrySources(organisation, settings.organisation.parent)
    parts = (client, feed, inbox, regulations, entry_sources, confidential)
    routes.add_routes(app, DeskDependencies(pages, service.database, service.clock, organisation, *parts))
    sign_in.register(service, settings, organisation, pages)
    metrics.initialise(tuple(topic.name for topic in handlers.TOPICS))
    return service
