"""The only place where intake's parts are put together."""

from collections.abc import Sequence
from hashlib import sha256

from fastapi import APIRouter

from services.intake import api, handlers, metrics
from services.intake.api import ApiDependencies
from services.intake.api_dependencies import Authentication
from services.intake.application.group_commit import GroupCommit
from services.intake.application.registration import RegisterComplaints
from services.intake.application.registration_result import PendingRegistration, RegistrationResult
from services.intake.application.sources import Sources
from services.intake.config import IntakeSettings
from shared.procedures.loading.loader import load_organisation
from shared.runtime.database.database import Transaction
from shared.runtime.service import Service


def build(settings: IntakeSettings) -> Service:
    """The service, ready to run. Raises what is wrong with the organisation, a procedure or a setting."""
    service = Service("intake", settings, migrations="services.intake.migrations")
    service.key_ring.encrypt({}, "start")  # a missing key is found now, not with the first complaint
    organisation = load_organisation(settings.organisation)
    sources = Sources(organisation, settings.organisation.parent, settings.phone_region, pseudonym_key(settings))
    books = RegisterComplaints(service.key_ring, service.clock)

    async def enter(tx: Transaction, incoming: Sequence[PendingRegistration]) -> Sequence[RegistrationResult]:
        metrics.GROUP_SIZE.observe(len(incoming))
        return await books.register_batch(tx, incoming, api.VIA_HTTP)

    commit = GroupCommit(service.database, enter, settings.group_commit_items)
    routes = APIRouter(tags=["complaints"])
    api.add_routes(service.app, routes, ApiDependencies(Authentication(sources), books, commit, service.database, settings))
    service.include_router(routes)
    handlers.register(service, sources, books, settings.max_complaint_bytes)
    return service


def pseudonym_key(settings: IntakeSettings) -> bytes:
    """The secret behind complainants' ids: its own setting, else the oldest sealing key, which a rotation keeps last."""
    secret = settings.pseudonym_key.get_secret_value() or settings.sealing_keys.get_secret_value().rpartition(",")[2]
    return sha256(b"jiesu pseudonyms " + secret.encode()).digest()
