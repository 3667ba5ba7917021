"""The only place where triage's parts are put together."""

from services.triage import api, handlers
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from services.triage.config import TriageSettings
from shared.procedures.loading.loader import load_organisation
from shared.runtime.service import Service


def build(settings: TriageSettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation or a procedure."""
    service = Service("triage", settings, migrations="services.triage.migrations")
    library = ProcedureRegistry(load_organisation(settings.organisation), settings.organisation.parent)
    handlers.register(service, TriageComplaints(library, service.clock))
    service.include_router(api.router(service.database, library))
    return service
