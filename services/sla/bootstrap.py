"""The only place where sla's parts are put together."""

from services.sla import api, duties, handlers, timers
from services.sla.authority import Authority
from services.sla.config import SlaSettings
from services.sla.queries import CaseFiles
from services.sla.rulebooks import Rulebooks
from services.sla.usecases import Actions, Cases
from shared.procedures.loader import load_organisation
from shared.runtime import problem
from shared.runtime.app import Service


def build(settings: SlaSettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation, a procedure or a setting."""
    service = Service("sla", settings, migrations="services.sla.migrations")
    organisation = load_organisation(settings.organisation)
    rulebooks = Rulebooks(organisation, base=settings.organisation.parent)
    authority = Authority(organisation)
    cases = Cases(rulebooks, authority, service.clock)
    handlers.register(service, cases, authority)
    timers.register(service, cases)
    duties.register(service, rulebooks)
    actions = Actions(cases, service.database, service.watermark, settings.action_wait)
    files = CaseFiles(service.database, rulebooks, authority)
    service.router(api.router(api.Edge(authority, actions, files, service.database, settings.requests_per_second)))
    problem.install(service.app)
    return service
