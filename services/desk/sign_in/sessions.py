"""Sessions in the database: begun by a sign-in, found by the cookie's hash, renewed at the provider, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from fastapi import Request

from services.desk.session import Session
from services.desk.sign_in.provider import IdentityProvider, ProviderTokens, SignInRefusedError
from services.desk.sign_in.secrets_of_browsers import derived_key, derived_token, new_secret, secret_hash
from services.desk.storage import sessions as storage
from services.desk.storage.sessions import StoredSession
from shared.procedures.access import AccessPolicy, Actor, CaseParties
from shared.procedures.organisation import Organisation, Person
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.http.identity.provider_keys import ProviderUnavailableError

COOKIE = "jiesu_desk"
_CSRF = "csrf"
_TOUCH_SECONDS = 60
"""How exact the idle limit is: a write for each request would be one for each picture of a page."""
_RENEW_SECONDS = 30
"""A token is renewed so long before it expires: it has to last for the calls of a page."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How long a session lasts without a request, and at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session with its tokens."""

    stored: StoredSession
    tokens: ProviderTokens


class Sessions:
    """The sessions of all processes of the desk; implements `SessionReader`."""

    def __init__(
        self, database: Database, organisation: Organisation, clock: Clock, limits: SignInLimits, provider: IdentityProvider | None
    ) -> None:
        self._database = database
        self._organisation = organisation
        self._policy = AccessPolicy(organisation)
        self._clock = clock
        self._limits = limits
        self._provider = provider

    async def begin(self, person: Person, tokens: ProviderTokens, replaced: str = "", subject: str = "", provider_session: str = "") -> str:
        """The cookie of a new session. The one that the browser had before ends: a cookie that was planted is worth nothing."""
        cookie, now = new_secret(), self._clock.real_now()
        sealed = _seal(cookie, tokens)
        session = StoredSession(secret_hash(cookie), person.id, subject, provider_session, sealed, now, now, tokens.expires_at)
        async with self._database.transaction() as tx:
            if replaced:
                await storage.delete_session(tx, secret_hash(replaced))
            await storage.insert_session(tx, session)
        return cookie

    async def read(self, request: Request) -> Session | None:
        """The session of the request's cookie; None without one that is valid, or whose person has left the organisation file."""
        cookie = request.cookies.get(COOKIE, "")
        found = await self._find(cookie)
        if found is None:
            return None
        person = self._organisation.person(found.stored.person)
        if person is None:
            return None
        departments = () if person.department is None else (person.department,)
        # A substitute holds the roles of who is absent too: sla refuses his action without the one in which he acts.
        roles = self._policy.roles(Actor(person.id, person), CaseParties(), self._clock.now())
        return Session(person, roles, departments, found.tokens.access, derived_token(cookie, _CSRF))

    async def holds(self, request: Request) -> bool:
        """Whether the session of the request's cookie holds; its idle limit runs on."""
        async with self._database.transaction() as tx:
            stored = await self._load(tx, request.cookies.get(COOKIE, ""), self._clock.real_now())
        return stored is not None and self._organisation.person(stored.person) is not None

    async def end(self, cookie: str, *, everywhere: bool) -> str:
        """End the session, or all of its person; the ID token with which the session at the provider is ended, empty without one."""
        found = await self._find(cookie)
        async with self._database.transaction() as tx:
            if found is not None and everywhere:
                await storage.delete_sessions_of_person(tx, found.stored.person)
            await storage.delete_session(tx, secret_hash(cookie))
        return "" if found is None else found.tokens.identity

    async def end_at_provider(self, provider_session: str, subject: str) -> None:
        """End what the provider has ended."""
        async with self._database.transaction() as tx:
            await storage.delete_sessions_of_provider(tx, provider_session, subject)

    async def prune(self, attempt_lifetime: timedelta) -> None:
        """Delete what is past its limits."""
        now = self._clock.real_now()
        async with self._database.transaction() as tx:
            await storage.prune(tx, now - self._limits.absolute, now - self._limits.idle, now - attempt_lifetime)

    async def _find(self, cookie: str) -> FoundSession | None:
        if not cookie:
            return None
        now = self._clock.real_now()
        async with self._database.transaction() as tx:
            stored = await self._load(tx, cookie, now)
            if stored is None:
                return None
            if now - stored.used_at >= timedelta(seconds=_TOUCH_SECONDS):
                await storage.touch_session(tx, stored.cookie_hash, now)
        tokens = _unseal(cookie, stored)
        if tokens is None or not _is_ending(stored, now):
            return None if tokens is None else FoundSession(stored, tokens)
        return await self._renewed(cookie, now)

    async def _load(self, tx: Transaction, cookie: str, now: datetime, *, for_update: bool = False) -> StoredSession | None:
        limits = now - self._limits.absolute, now - self._limits.idle
        return await storage.find_session(tx, secret_hash(cookie), *limits, for_update=for_update)

    async def _renewed(self, cookie: str, now: datetime) -> FoundSession | None:
        """The session with new tokens. Under the row's lock: a refresh token that is used twice ends the session at the provider."""
        async with self._database.transaction() as tx:
            stored = await self._load(tx, cookie, now, for_update=True)
            tokens = None if stored is None else _unseal(cookie, stored)
            if stored is None or tokens is None or not _is_ending(stored, now):
                return None if stored is None or tokens is None else FoundSession(stored, tokens)
            if self._provider is None or not tokens.refresh:
                await storage.delete_session(tx, stored.cookie_hash)
                return None
            try:
                renewed = await self._provider.renew(tokens.refresh, tokens.identity)
            except SignInRefusedError as refused:
                log.info("session ended by the identity provider", rule=refused.rule)
                await storage.delete_session(tx, stored.cookie_hash)
                return None
            except ProviderUnavailableError as error:
                # The old token may hold for some seconds more; the next request tries again.
                log.warning("access token not renewed", reason=str(error))
                return FoundSession(stored, tokens)
            await storage.renew_tokens(tx, stored.cookie_hash, _seal(cookie, renewed), renewed.expires_at)
        return FoundSession(stored, renewed)


def _is_ending(stored: StoredSession, now: datetime) -> bool:
    return stored.token_expires_at is not None and stored.token_expires_at - now < timedelta(seconds=_RENEW_SECONDS)


def _seal(cookie: str, tokens: ProviderTokens) -> str:
    fields: dict[str, Any] = {"access": tokens.access, "refresh": tokens.refresh, "identity": tokens.identity}
    return _ring(cookie).encrypt(fields, secret_hash(cookie).hex())


def _unseal(cookie: str, stored: StoredSession) -> ProviderTokens | None:
    try:
        fields = _ring(cookie).decrypt(stored.sealed, stored.cookie_hash.hex())
    except DecryptionError:
        return None
    return ProviderTokens(fields["access"], fields["refresh"], fields["identity"], stored.token_expires_at)


def _ring(cookie: str) -> EncryptionKeyRing:
    return EncryptionKeyRing({"cookie": derived_key(cookie)})
