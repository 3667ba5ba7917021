"""sla's HTTP API authenticates a request before it reads the body."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from services.sla import api
from services.sla.application.actions import ActionResult, TakeHttpActions
from services.sla.application.case_list import ListCases
from services.sla.application.identity import IdentityRegistry
from services.sla.application.queries import CaseQueries
from shared.contracts.actions import Action
from shared.procedures.access import Actor
from shared.procedures.organisation import Organisation
from shared.runtime.http.problem import add_problem_handlers

TOKEN = "a token of the tests"
URL = "/v1/cases/case-1/actions"


class RecordedActions:
    """Stands in for TakeHttpActions."""

    def __init__(self) -> None:
        self.taken: list[tuple[Action, str]] = []

    async def take(self, action: Action, actor: Actor, idempotency_key: str | None) -> ActionResult:
        assert idempotency_key is None
        self.taken.append((action, actor.id))
        return ActionResult([], deferred=True)


class LargeBody(httpx.AsyncByteStream):
    """A chunked body of 8 MiB that counts the chunks that were read."""

    def __init__(self) -> None:
        self.chunks_read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(128):
            self.chunks_read += 1
            yield b"x" * 65_536


@pytest.fixture
def actions() -> RecordedActions:
    return RecordedActions()


@pytest.fixture
def app(actions: RecordedActions) -> FastAPI:
    people = [{"id": "li", "roles": ["assistant"], "token_sha256": sha256(TOKEN.encode()).hexdigest()}]
    identities = IdentityRegistry(Organisation.model_validate({"id": "estate", "people": people}))
    dependencies = api.SlaApiDependencies(
        identities, cast("TakeHttpActions", actions), cast("CaseQueries", None), cast("ListCases", None), per_second=1
    )
    application = FastAPI()
    add_problem_handlers(application)
    application.include_router(api.router(dependencies))
    return application


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sla") as connected:
        yield connected


def authorization(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("headers", [{}, authorization("wrong"), {"Authorization": f"Basic {TOKEN}"}])
async def test_large_chunked_body_without_a_known_token_is_refused_unread(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = LargeBody()
    answer = await client.post(URL, content=body, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert body.chunks_read == 0


async def test_large_chunked_body_with_a_token_is_refused_with_413(client: httpx.AsyncClient, actions: RecordedActions) -> None:
    body = LargeBody()
    answer = await client.post(URL, content=body, headers=authorization())
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:jiesu:problem:too_large")
    assert 1 < body.chunks_read < 128
    assert actions.taken == []


async def test_action_is_taken_with_the_person_of_the_token(client: httpx.AsyncClient, actions: RecordedActions) -> None:
    body = {"action": "answer", "role": "assistant", "data": {"text": "done"}}
    assert (await client.post(URL, json=body, headers=authorization())).status_code == 202
    [(action, actor)] = actions.taken
    assert (action.case, action.action, action.data.text, actor) == ("case-1", "answer", "done", "li")


async def test_requests_over_the_rate_of_a_person_are_refused_unread(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await client.post(URL, json={"action": "answer"}, headers=authorization())
    body = LargeBody()
    answer = await client.post(URL, content=body, headers=authorization())
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert body.chunks_read == 0


def test_openapi_describes_the_body_of_an_action(app: FastAPI) -> None:
    paths: dict[str, Any] = app.openapi()["paths"]
    schema = paths["/v1/cases/{case}/actions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"action", "role", "data"}
    assert "link_as" not in schema["properties"]["data"]["properties"]
    assert "as" in schema["properties"]["data"]["properties"]
