"""The identity provider's signing keys (JWKS): cached, read again in time, and for an unknown key id at most once a minute."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from shared.runtime.clock import monotonic

MIN_SECONDS_BETWEEN_READS = 60.0
"""A token names its key itself: without a bound anybody could have the provider called by made-up key ids."""
LONGEST_STALE_SECONDS = 86_400.0
"""For so long the keys are used while the provider cannot be read; a key that it withdrew meanwhile is accepted for as long."""
_TIMEOUT_SECONDS = 5.0
_MAX_BYTES = 1_000_000
_MAX_KEYS = 100
log = structlog.get_logger(__name__)


class ProviderUnavailableError(Exception):
    """The provider's keys or metadata cannot be read; the text holds no personal data."""


def provider_client() -> httpx.AsyncClient:
    """A client for the provider: no redirects, no proxy of the environment, a bounded wait."""
    return httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)


async def read_metadata(client: httpx.AsyncClient, issuer: str) -> dict[str, Any]:
    """The provider's metadata (OpenID Connect Discovery 1.0, 4); raises `ProviderUnavailableError`."""
    metadata = await read_json(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if metadata.get("issuer") != issuer:
        # Discovery 4.3: otherwise one provider could speak for another.
        raise ProviderUnavailableError("the provider's metadata name another issuer than JIESU_OIDC_ISSUER")
    return metadata


async def read_json(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """A JSON object of the provider; raises `ProviderUnavailableError`."""
    body = bytearray()
    try:
        async with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise ProviderUnavailableError(f"the provider answered with more than {_MAX_BYTES} bytes")
        document = orjson.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError) as error:
        raise ProviderUnavailableError(f"the provider cannot be read ({type(error).__name__})") from error
    if not isinstance(document, dict):
        raise ProviderUnavailableError("the provider answered with JSON that is no object")
    return document


class ProviderKeys:
    """The keys by their ids, of `jwks_url` or else of the issuer's metadata. Concurrent requests wait for one reading."""

    def __init__(self, issuer: str, jwks_url: str, max_age: float) -> None:
        self._issuer = issuer
        self._url = jwks_url
        self._max_age = max_age
        self._keys: dict[str, Key] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._reading = asyncio.Lock()

    async def find(self, key_id: str) -> Key | None:
        """The key with an id, None for an unknown one; raises `ProviderUnavailableError` while no usable keys were read."""
        if self._is_outdated() or key_id not in self._keys:
            async with self._reading:
                # Looked at again: another request may have read the keys while this one waited.
                if (self._is_outdated() or key_id not in self._keys) and self._may_read():
                    await self._read()
        if self._read_at is None or monotonic() - self._read_at > LONGEST_STALE_SECONDS:
            raise ProviderUnavailableError("the keys of the identity provider could not be read yet")
        return self._keys.get(key_id)

    def _is_outdated(self) -> bool:
        return self._read_at is None or monotonic() - self._read_at >= self._max_age

    def _may_read(self) -> bool:
        return self._tried_at is None or monotonic() - self._tried_at >= MIN_SECONDS_BETWEEN_READS

    async def _read(self) -> None:
        self._tried_at = monotonic()
        try:
            async with provider_client() as client:
                url = self._url or str((await read_metadata(client, self._issuer)).get("jwks_uri", ""))
                keys = signing_keys(await read_json(client, url))
        except ProviderUnavailableError as error:
            # Requests with keys that are known go on; `find` decides how long.
            log.warning("keys of the identity provider not read", reason=str(error))
            return
        if not keys:
            log.warning("the identity provider publishes no usable key")
            return
        self._keys, self._read_at = keys, monotonic()


def signing_keys(document: Mapping[str, Any]) -> dict[str, Key]:
    """The public keys of a JWKS that may check signatures, by id; an entry that cannot be used is left out."""
    entries = document.get("keys")
    keys: dict[str, Key] = {}
    for entry in entries[:_MAX_KEYS] if isinstance(entries, list) else ():
        # RFC 7517, 5: unknown types and uses are ignored. Symmetric keys have no business in a public document.
        if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP") or entry.get("use", "sig") != "sig":
            continue
        try:
            key = import_key(entry)
        except (JoseError, ValueError, TypeError, KeyError):
            log.warning("a key of the identity provider cannot be used")
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey) and isinstance(entry.get("kid"), str):
            keys[entry["kid"]] = key
    return keys
