"""Calls the services' HTTP interfaces with the token of the signed-in person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from services.desk import metrics
from shared.runtime.http.problem import FieldFault
from shared.runtime.tracing.context import current_traceparent

_SERVER_ERROR = 500
# uvicorn closes a connection that was idle for 5 s, and a busy one does so before it reads the request that has come meanwhile.
_CONNECTIONS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=2.0)
_LOST_CONNECTION = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class ServiceRefusedError(Exception):
    """A service refused the call; `title`, `detail`, `clause` and `faults` (field, rule, remedy) are those of its problem document."""

    def __init__(self, status: int, title: str, detail: str, clause: str = "", faults: Sequence[FieldFault] = ()) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.clause = clause
        self.faults = tuple(faults)

    @property
    def reason(self) -> str:
        """The detail of the problem document, or its title without one."""
        return self.detail or self.title


class ServiceUnavailableError(Exception):
    """A service does not answer; it may have carried the call out, so a repetition takes the same idempotency key."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class ServiceClient:
    """One connection pool for all services; `urls` maps their names to base URLs."""

    def __init__(self, urls: Mapping[str, str], timeout_seconds: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._urls = urls
        self._http = httpx.AsyncClient(timeout=timeout_seconds, limits=_CONNECTIONS, transport=transport, follow_redirects=False)

    async def get(self, service: str, path: str, token: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON answer of a read; raises `ServiceRefusedError` or `ServiceUnavailableError`."""
        return (await self.request("GET", service, path, token, params=parameters)).json()

    async def post(self, service: str, path: str, token: str, body: Any, idempotency_key: str = "") -> Any:
        """The JSON answer of a write; a key makes a repetition harmless. Raises as `get`."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return (await self.request("POST", service, path, token, json=body, headers=headers)).json()

    async def request(self, method: str, service: str, path: str, token: str, **options: Any) -> httpx.Response:
        """The answer of a service that accepted the call; `path` begins with a slash, its parts are quoted by the caller."""
        headers = {"Authorization": f"Bearer {token}", **_trace_headers(), **options.pop("headers", {})}
        try:
            answer = await self._send(method, f"{self._urls[service]}{path}", headers=headers, **options)
        except httpx.TransportError as error:
            metrics.SERVICE_CALLS.labels(service, "unavailable").inc()
            raise ServiceUnavailableError(service) from error
        if answer.status_code >= _SERVER_ERROR:
            metrics.SERVICE_CALLS.labels(service, "unavailable").inc()
            raise ServiceUnavailableError(service)
        if not answer.is_success:
            metrics.SERVICE_CALLS.labels(service, "refused").inc()
            raise _refusal(answer)
        metrics.SERVICE_CALLS.labels(service, "accepted").inc()
        return answer

    async def _send(self, method: str, url: str, **options: Any) -> httpx.Response:
        """The answer; a read whose connection was lost is sent once more, since it changes nothing."""
        try:
            return await self._http.request(method, url, **options)
        except _LOST_CONNECTION:
            if method != "GET":
                raise
            return await self._http.request(method, url, **options)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _refusal(answer: httpx.Response) -> ServiceRefusedError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    texts = {name: str(problem.get(name, "")) for name in ("title", "detail", "clause")} if isinstance(problem, dict) else {}
    return ServiceRefusedError(
        answer.status_code, texts.get("title", ""), texts.get("detail", ""), texts.get("clause", ""), _faults(problem)
    )


def _faults(problem: Any) -> list[FieldFault]:
    errors = problem.get("errors") if isinstance(problem, dict) else None
    listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return [FieldFault(*(str(error.get(name, "")) for name in ("field", "rule", "remedy"))) for error in listed]


def _trace_headers() -> dict[str, str]:
    traceparent = current_traceparent()
    return {"traceparent": traceparent} if traceparent else {}
