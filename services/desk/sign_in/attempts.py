"""The way to the identity provider and back: state, nonce and PKCE verifier of each attempt, bound to the browser that began it."""

from __future__ import annotations

import hmac
from datetime import timedelta

from services.desk.sign_in.provider import IdentityProvider, ProviderSignIn, SignInRefusedError
from services.desk.sign_in.secrets_of_browsers import new_secret, secret_hash
from services.desk.storage import sessions as storage
from services.desk.storage.sessions import SignInAttempt
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database

ATTEMPT_LIFETIME = timedelta(minutes=10)


class SignInAttempts:
    """Begins attempts and finishes each once."""

    def __init__(self, database: Database, provider: IdentityProvider, clock: Clock) -> None:
        self._database = database
        self._provider = provider
        self._clock = clock

    async def begin(self, browser: str, next_path: str) -> str:
        """The provider's address for this browser; raises `ProviderUnavailableError`."""
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        url = await self._provider.authorization_url(state, nonce, verifier)
        attempt = SignInAttempt(secret_hash(browser), nonce, verifier, next_path, self._clock.real_now())
        async with self._database.transaction() as tx:
            await storage.insert_attempt(tx, secret_hash(state), attempt)
        return url

    async def finish(self, browser: str, state: str, code: str) -> tuple[ProviderSignIn, str]:
        """The signed-in person and the page that they asked for; raises `SignInRefusedError` or `ProviderUnavailableError`."""
        async with self._database.transaction() as tx:
            attempt = await storage.take_attempt(tx, secret_hash(state))
        if attempt is None or self._clock.real_now() - attempt.created_at > ATTEMPT_LIFETIME:
            raise SignInRefusedError("state")
        # Without it an attacker could sign the victim's browser in as himself, and read what is entered there.
        if not hmac.compare_digest(attempt.browser_hash, secret_hash(browser)):
            raise SignInRefusedError("browser")
        return await self._provider.redeem(code, attempt.verifier, attempt.nonce), attempt.next_path
