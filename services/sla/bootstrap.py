"""Builds sla from its settings: the only module that connects its parts."""

from services.sla import api, form_api, handlers, timers
from services.sla.application.actions import TakeHttpActions
from services.sla.application.cases import UpdateCases
from services.sla.application.form_queries import FormQueries
from services.sla.application.identity import IdentityRegistry
from services.sla.application.periodic_reports import DutyRunner
from services.sla.application.queries import CaseQueries
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.config import SlaSettings
from shared.procedures.checks.organisation_check import load_checked_organisation
from shared.runtime.service import Service


def build(settings: SlaSettings) -> Service:
    """The service, ready to run; raises for an organisation file, a procedure or a setting that cannot be used."""
    service = Service("sla", settings, migrations="services.sla.migrations")
    organisation = load_checked_organisation(settings.organisation)
    rulebooks = RulebookRegistry(organisation, procedure_folder=settings.organisation.parent)
    identities = IdentityRegistry(organisation)
    cases = UpdateCases(rulebooks, identities, service.clock)
    # Before the others: the watermark that they use exists once the service is subscribed.
    handlers.register(service, cases, identities)
    timers.register(service, cases, DutyRunner(rulebooks, service.database, service.clock))
    actions = TakeHttpActions(cases, service.database, service.watermark, settings.action_wait)
    queries = CaseQueries(service.database, rulebooks, identities, service.clock)
    dependencies = api.SlaApiDependencies(identities, actions, queries, settings.requests_per_second)
    service.include_router(api.router(dependencies))
    service.include_router(form_api.router(dependencies, FormQueries(queries)))
    return service
