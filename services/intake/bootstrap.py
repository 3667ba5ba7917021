"""Builds the intake service from its parts."""

from collections.abc import Sequence
from datetime import timedelta

from services.intake import api, handlers, metrics, timers
from services.intake.api import ApiDependencies
from services.intake.api_dependencies import Authentication
from services.intake.application.group_commit import GroupCommit
from services.intake.application.registration import RegisterComplaints
from services.intake.application.registration_result import PendingRegistration, RegistrationResult
from services.intake.application.sources import Sources
from services.intake.application.submission_reading import SubmissionReader
from services.intake.application.supplements import supplement_signer
from services.intake.attachments import routes as attachment_routes
from services.intake.attachments.setup import open_attachments
from services.intake.config import IntakeSettings
from services.intake.transports.web_form import setup as web_form
from shared.contracts.attachments import AttachmentKeys
from shared.contracts.follow_codes import follow_key
from shared.contracts.person_keys import pseudonym_key
from shared.procedures.access import AccessPolicy
from shared.procedures.checks.organisation_check import load_checked_organisation
from shared.runtime.database.database import Transaction
from shared.runtime.service import Service


def build(settings: IntakeSettings) -> Service:
    """The service, ready to run; raises `ProcedureError` or `Misconfigured` for an unusable organisation, procedure or setting."""
    service = Service("intake", settings, migrations="services.intake.migrations")
    service.key_ring.encrypt({}, "start")  # reports a missing key at start, not with the first complaint
    organisation = load_checked_organisation(settings.organisation)
    sources = Sources(organisation, settings.organisation.parent, settings.phone_region, _pseudonym_key(settings))
    attachment_keys = AttachmentKeys.parse(settings.attachment_key.get_secret_value())
    reader = SubmissionReader(service.clock, settings.max_complaint_bytes, timedelta(seconds=settings.max_future_seconds), attachment_keys)
    signer = supplement_signer(settings.action_key.get_secret_value(), service.clock)
    registration = RegisterComplaints(service.key_ring, service.clock, signer)

    async def register_group(tx: Transaction, pending: Sequence[PendingRegistration]) -> Sequence[RegistrationResult]:
        metrics.GROUP_SIZE.observe(len(pending))
        return await registration.register_batch(tx, pending, api.VIA_HTTP)

    attachments = open_attachments(settings, service.database)
    authentication = Authentication(sources, organisation.people)
    service.include_router(attachment_routes.router(attachments, authentication, service.clock))
    group_commit = GroupCommit(service.database, register_group, settings.group_commit_items)
    dependencies = ApiDependencies(
        authentication=authentication,
        policy=AccessPolicy(organisation),
        reader=reader,
        group_commit=group_commit,
        database=service.database,
        settings=settings,
        clock=service.clock,
        follow_key=follow_key(secret) if (secret := settings.follow_key.get_secret_value()) else None,
    )
    api.add_routes(service.app, dependencies)
    handlers.register(service, sources, reader, registration)
    web_form.register(service, settings, sources, reader, registration, attachments)
    timers.register(service, timedelta(days=settings.refusal_retention_days))
    metrics.initialise({context.bound_procedure.procedure.id for context in sources.contexts.values()})
    return service


def _pseudonym_key(settings: IntakeSettings) -> bytes:
    """The key of complainants' pseudonyms: the setting, else derived from the oldest encryption key, which a rotation keeps last."""
    secret = settings.pseudonym_key.get_secret_value() or settings.sealing_keys.get_secret_value().rpartition(",")[2]
    return pseudonym_key(secret)
