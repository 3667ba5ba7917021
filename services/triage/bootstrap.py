"""Builds the triage service from its parts."""

from services.triage import api, handlers, metrics
from services.triage.application.classifying import Classifiers
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from services.triage.config import TriageSettings
from shared.procedures.checks.organisation_check import load_checked_organisation
from shared.runtime.service import Service


def build(settings: TriageSettings) -> Service:
    """The service, ready to run; raises `ProcedureError` or `Misconfigured` for an organisation, procedure or model that cannot be used."""
    service = Service("triage", settings, migrations="services.triage.migrations")
    registry = ProcedureRegistry(load_checked_organisation(settings.organisation), settings.organisation.parent)
    classifiers = Classifiers(settings.classifier, settings.shadow_classifier)
    handlers.register(service, TriageComplaints(registry, service.clock, classifiers))
    metrics.initialise(registry.source_procedures, registry.organisation)
    service.include_router(api.router(service.database, registry, service.clock))
    return service
