"""Builds the triage service from its parts."""

from services.triage import api, api_groups, handlers, metrics, timers
from services.triage.api_dependencies import TriageApiDependencies
from services.triage.application.models.classifying import Classifiers
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from services.triage.config import TriageSettings
from services.triage.domain.facts.fact_reader import load_library
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.http.identity.people import open_people
from shared.runtime.service import Service


def build(settings: TriageSettings) -> Service:
    """The service, ready to run; raises `ProcedureError` or `Misconfigured` for an organisation, procedure or model that cannot be used."""
    service = Service("triage", settings, migrations="services.triage.migrations")
    registry = ProcedureRegistry(load_checked_organisation(settings.organisation), settings.organisation.parent)
    triage = TriageComplaints(registry, service.clock, Classifiers(settings.classifier, settings.shadow_classifier))
    # Before the service freezes its objects, so that no collection visits them.
    load_library()
    handlers.register(service, triage)
    timers.register(service, triage, [procedure.id for procedure in registry.source_procedures])
    metrics.initialise(registry.source_procedures, registry.organisation)
    people = open_people(registry.organisation, settings, service.clock)
    dependencies = TriageApiDependencies(service.database, registry, service.clock, people)
    service.include_router(api.router(dependencies))
    service.include_router(api_groups.router(dependencies))
    return service
