"""The only place where sla's parts are put together."""

from services.sla import api, handlers, timers
from services.sla.application.actions import TakeHttpActions
from services.sla.application.cases import UpdateCases
from services.sla.application.identity import IdentityRegistry
from services.sla.application.periodic_reports import DutyRunner
from services.sla.application.queries import CaseQueries
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.config import SlaSettings
from shared.procedures.loading.loader import load_organisation
from shared.runtime.http import problem
from shared.runtime.service import Service


def build(settings: SlaSettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation, a procedure or a setting."""
    service = Service("sla", settings, migrations="services.sla.migrations")
    organisation = load_organisation(settings.organisation)
    rulebooks = RulebookRegistry(organisation, procedure_folder=settings.organisation.parent)
    authority = IdentityRegistry(organisation)
    cases = UpdateCases(rulebooks, authority, service.clock)
    handlers.register(service, cases, authority)
    timers.register(service, cases, DutyRunner(rulebooks, service.database, service.clock))
    actions = TakeHttpActions(cases, service.database, service.watermark, settings.action_wait)
    files = CaseQueries(service.database, rulebooks, authority)
    service.include_router(api.router(api.SlaApiDependencies(authority, actions, files, service.database, settings.requests_per_second)))
    problem.add_problem_handlers(service.app)
    return service
