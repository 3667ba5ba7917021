"""The only place where sla's parts are put together."""

from services.sla import api, handlers, timers
from services.sla.application import periodic_reports
from services.sla.application.cases import Actions, Cases
from services.sla.application.identity import Authority
from services.sla.application.queries import CaseFiles
from services.sla.application.rulebooks import Rulebooks
from services.sla.config import SlaSettings
from shared.procedures.loading.loader import load_organisation
from shared.runtime.http import problem
from shared.runtime.service import Service


def build(settings: SlaSettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation, a procedure or a setting."""
    service = Service("sla", settings, migrations="services.sla.migrations")
    organisation = load_organisation(settings.organisation)
    rulebooks = Rulebooks(organisation, base=settings.organisation.parent)
    authority = Authority(organisation)
    cases = Cases(rulebooks, authority, service.clock)
    handlers.register(service, cases, authority)
    timers.register(service, cases)
    periodic_reports.register(service, rulebooks)
    actions = Actions(cases, service.database, service.watermark, settings.action_wait)
    files = CaseFiles(service.database, rulebooks, authority)
    service.router(api.router(api.Edge(authority, actions, files, service.database, settings.requests_per_second)))
    problem.install(service.app)
    return service
