"""Sends a request until it is answered: again after a broken connection, and after answers with Retry-After."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from jiesu_client.problems import UnavailableError, problem

_RETRIED = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retries:
    """The number of attempts, and the seconds between: `first`, doubled each time up to `longest`, or the service's Retry-After."""

    attempts: int = 6
    first: float = 0.5
    longest: float = 60.0

    def pause(self, attempt: int, retry_after: float | None) -> float:
        """Seconds before the attempt after this one, which is counted from 1."""
        if retry_after is not None:
            # Later than asked by a little, so that many clients do not come back in the same instant.
            return min(retry_after, self.longest) * random.uniform(1.0, 1.2)  # noqa: S311 - no secret
        return min(self.first * 2.0 ** (attempt - 1), self.longest) * random.uniform(0.5, 1.0)  # noqa: S311


DEFAULT_RETRIES = Retries()


class HttpClient:
    """A connection pool to one service; use it as a context manager, or call `close`."""

    def __init__(self, base_url: str, token: str, retries: Retries, options: Mapping[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = httpx.AsyncClient(base_url=base_url.rstrip("/"), headers=headers, **{"timeout": 30.0, **options})
        self._retries = retries

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer, whatever its status but those that ask to try again; raises `UnavailableError` after the last attempt."""
        reason = ""
        for attempt in range(1, self._retries.attempts + 1):
            retry_after = None
            try:
                response = await self._http.request(method, path, **options)
            except httpx.RequestError as error:  # a broken connection, or an answer that is compressed wrongly
                reason = type(error).__name__
            else:
                # 409 `in_progress`: an earlier attempt under this key, whose answer was lost, is still being done.
                if response.status_code not in _RETRIED and not _is_in_progress(response):
                    return response
                retry_after, reason = _seconds(response.headers.get("Retry-After", "")), str(response.status_code)
            if attempt < self._retries.attempts:
                await asyncio.sleep(self._retries.pause(attempt, retry_after))
        raise UnavailableError(f"{method} {path}: no answer after {self._retries.attempts} attempts, the last one: {reason}")

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        """The document of a successful answer; raises `RequestRefusedError` for a refusal."""
        response = await self._request(method, path, **options)
        if not response.is_success:
            raise problem(response)
        return response.json()


def _is_in_progress(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.CONFLICT and "Retry-After" in response.headers


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdecimal() else None
