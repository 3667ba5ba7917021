"""Reads cases and acts on them by HTTP."""

import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict

from jiesu_client.http_retries import DEFAULT_RETRIES, HttpClient, Retries
from jiesu_client.problems import problem
from shared.contracts.actions import ActionData


class HappenedEvent(BaseModel):
    """An event that an action caused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event: str
    at: AwareDatetime
    sequence: int


class TakenAction(BaseModel):
    """An accepted action and what it caused; `deferred` while an earlier deadline is still being processed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    case: str
    repeated: bool = False
    deferred: bool = False
    events: tuple[HappenedEvent, ...] = ()


class CasesClient(HttpClient):
    """Acts for one person of the organisation; `token` is the person's, `options` are those of `httpx.AsyncClient`."""

    def __init__(self, base_url: str, token: str, retries: Retries = DEFAULT_RETRIES, **options: Any) -> None:
        super().__init__(base_url, token, retries, options)

    async def act(
        self, case: str, action: str, data: ActionData | Mapping[str, Any] | None = None, role: str = "", idempotency_key: str = ""
    ) -> TakenAction:
        """Take an action once, however often the request is made; raises `RequestRefusedError` with reason and clause if it is refused."""
        sent = data.model_dump(mode="json", by_alias=True, exclude_unset=True) if isinstance(data, ActionData) else dict(data or {})
        body = {"action": action, "data": sent} | ({"role": role} if role else {})
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        response = await self._request("POST", f"/v1/cases/{_path(case)}/actions", json=body, headers=headers)
        if not response.is_success:
            raise problem(response)
        return TakenAction.model_validate({**response.json(), "deferred": response.status_code == httpx.codes.ACCEPTED})

    async def case(self, case: str) -> dict[str, Any]:
        """The present state of a case, its clocks and its events."""
        document: dict[str, Any] = await self._json("GET", f"/v1/cases/{_path(case)}")
        return document

    async def clocks(self, case: str) -> dict[str, Any]:
        """Every round of every clock that has started: state, due instant, whether it is late and by how much."""
        document: dict[str, Any] = await self._json("GET", f"/v1/cases/{_path(case)}/clocks")
        return document

    async def cases(self, **selection: Any) -> AsyncIterator[dict[str, Any]]:
        """The cases that concern the person, newest first; `selection` is that of `GET /v1/cases`: `status`, `due_before`, …."""
        cursor = None
        while True:
            parameters = httpx.QueryParams({**selection, **({"cursor": cursor} if cursor else {})})
            page = await self._json("GET", "/v1/cases", params=parameters)
            for case in page["cases"]:
                yield case
            cursor = page.get("next_cursor")
            if not cursor:
                return


def _path(case: str) -> str:
    return quote(case, safe="")
