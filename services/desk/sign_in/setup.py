"""Builds the sign-in from its settings."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.desk.pages.page import Pages
from services.desk.sign_in.attempts import ATTEMPT_LIFETIME, SignInAttempts
from services.desk.sign_in.config import SignInSettings
from services.desk.sign_in.local_accounts import load_accounts
from services.desk.sign_in.provider import IdentityProvider
from services.desk.sign_in.routes import SignInPages, router
from services.desk.sign_in.sessions import SessionLimits, Sessions
from shared.procedures.organisation import Organisation
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service

_PRUNE_SECONDS = 300.0


def register(service: Service, settings: SignInSettings, organisation: Organisation, pages: Pages) -> None:
    """Add the pages of the sign-in, the sessions and the loop that deletes old ones; raises `Misconfigured`."""
    limits = SessionLimits(timedelta(minutes=settings.desk_idle_minutes), timedelta(hours=settings.desk_session_hours))
    provider = IdentityProvider(settings, organisation, service.clock) if settings.oidc_issuer else None
    attempts = None if provider is None else SignInAttempts(service.database, provider, service.clock)
    accounts = None if settings.desk_accounts is None else load_accounts(settings.desk_accounts, organisation)
    sessions = Sessions(service.database, organisation, service.clock, limits, provider)
    service.app.state.sessions = sessions
    sign_in = SignInPages(pages, organisation, sessions, provider, attempts, accounts, secure=settings.has_secure_cookies)
    service.include_router(router(sign_in))

    async def prune(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await sessions.prune(ATTEMPT_LIFETIME)
            await sleep_or_stop(stop, _PRUNE_SECONDS)

    service.add_background_loop("sessions", prune)
