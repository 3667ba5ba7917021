"""Builds the intake service from its parts."""

from datetime import timedelta

from services.intake import api, handlers, metrics, timers
from services.intake.api import ApiDependencies
from services.intake.api_dependencies import Authentication
from services.intake.application.group_commit import GroupCommit
from services.intake.application.parts import IntakeParts
from services.intake.application.raw_copies import RawCopies
from services.intake.application.registration import RegisterComplaints, group_registration
from services.intake.application.sources import Sources
from services.intake.application.submission_copies import VIA_HTTP
from services.intake.application.submission_reading import SubmissionReader
from services.intake.application.supplements import supplement_signer
from services.intake.attachments import routes as attachment_routes
from services.intake.attachments import setup as attachment_setup
from services.intake.config import IntakeSettings
from services.intake.transports.registry import TRANSPORTS
from shared.contracts.attachments import AttachmentKeys
from shared.contracts.follow_codes import follow_key
from shared.contracts.person_keys import pseudonym_key
from shared.procedures.access import AccessPolicy
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.http.identity.people import open_people
from shared.runtime.service import Service


def build(settings: IntakeSettings) -> Service:
    """The service, ready to run; raises `ProcedureError` or `Misconfigured` for an unusable organisation, procedure or setting."""
    service = Service("intake", settings, migrations="services.intake.migrations")
    service.key_ring.encrypt({}, "start")  # reports a missing key at start, not with the first complaint
    organisation = load_checked_organisation(settings.organisation)
    parts = make_parts(settings, organisation, service.key_ring, service.clock, service.database)
    service.include_router(attachment_routes.router(parts.attachments, parts.authentication, service.clock))
    attachment_setup.register(service, parts.attachments, timedelta(hours=settings.form_max_hours + 1))
    register_group = group_registration(parts.registration, VIA_HTTP)
    group_commit = GroupCommit(service.database, register_group, settings.group_commit_items, settings.overload_seconds)
    dependencies = ApiDependencies(
        authentication=parts.authentication,
        policy=AccessPolicy(organisation),
        reader=parts.reader,
        raw_copies=parts.raw_copies,
        group_commit=group_commit,
        database=service.database,
        settings=settings,
        clock=service.clock,
        follow_key=follow_key(secret) if (secret := settings.follow_key.get_secret_value()) else None,
    )
    api.add_routes(service.app, dependencies)
    handlers.register(service, parts)
    for register_transport in TRANSPORTS:
        register_transport(service, parts)
    timers.register(service, timedelta(days=settings.refusal_retention_days), timedelta(days=settings.raw_retention_days))
    metrics.initialise({context.bound_procedure.procedure.id for context in parts.sources.contexts.values()})
    return service


def make_parts(
    settings: IntakeSettings, organisation: Organisation, key_ring: EncryptionKeyRing, clock: Clock, database: Database
) -> IntakeParts:
    """The parts that read and register submissions, for the service and for commands that work on its database."""
    sources = Sources(organisation, settings.organisation.parent, settings.phone_region, pseudonym_key_of(settings))
    signer = supplement_signer(settings.action_key.get_secret_value(), clock)
    attachment_keys = AttachmentKeys.parse(settings.attachment_key.get_secret_value())
    return IntakeParts(
        settings=settings,
        sources=sources,
        reader=SubmissionReader(clock, settings.max_complaint_bytes, timedelta(seconds=settings.max_future_seconds), attachment_keys),
        registration=RegisterComplaints(key_ring, clock, signer),
        key_ring=key_ring,
        clock=clock,
        signer=signer,
        authentication=Authentication(sources, open_people(organisation, settings, clock)),
        raw_copies=RawCopies(key_ring),
        attachments=attachment_setup.open_attachments(settings, database),
    )


def pseudonym_key_of(settings: IntakeSettings) -> bytes:
    """The key of complainants' pseudonyms: the setting, else derived from the oldest encryption key, which a rotation keeps last."""
    secret = settings.pseudonym_key.get_secret_value() or settings.sealing_keys.get_secret_value().rpartition(",")[2]
    return pseudonym_key(secret)
