"""The only place where sla's parts are put together."""

from services.sla import api, handlers, timers
from services.sla.application import periodic_reports
from services.sla.application.cases import TakeHttpActions, UpdateCases
from services.sla.application.identity import IdentityRegistry
from services.sla.application.queries import CaseQueries
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.config import SlaSettings
from shared.procedures.loading.loader import load_organisation
from shared.runtime.service import Service


def build(settings: SlaSettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation, a procedure or a setting."""
    service = Service("sla", settings, migrations="services.sla.migrations")
    organisation = load_organisation(settings.organisation)
    rulebooks = RulebookRegistry(organisation, procedure_folder=settings.organisation.parent)
    authority = IdentityRegistry(organisation)
    cases = UpdateCases(rulebooks, authority, service.clock)
    handlers.register(service, cases, authority)
    timers.register(service, cases)
    periodic_reports.register(service, rulebooks)
    actions = TakeHttpActions(cases, service.database, service.watermark, settings.action_wait)
    files = CaseQueries(service.database, rulebooks, authority)
    service.include_router(api.router(api.SlaApiDependencies(authority, actions, files, settings.requests_per_second)))
    return service
