"""A desk whose people sign in at a provider that speaks the protocol, and the browsers that do so."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import yaml

from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from services.desk.sign_in.local_accounts import hash_password
from shared.runtime.clock import Clock
from shared.runtime.service import Service
from tests.integration.desk.conftest import DEPARTMENTS, PEOPLE
from tests.support.identity.oidc_provider import CLIENT_SECRET, OidcProvider
from tests.support.messaging.sample_organisation import write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.databases import Databases
from tests.support.servers.topics import fresh_prefix

BASE = "http://desk.test/desk"


class MovedClock(Clock):
    """Real time that a test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = timedelta()

    def real_now(self) -> datetime:
        return super().real_now() + self.moved


@dataclass
class SignInProbe:
    """The desk, its provider, and browsers."""

    service: Service
    provider: OidcProvider
    clock: MovedClock
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self) -> httpx.AsyncClient:
        """A browser with an empty jar."""
        transport = httpx.ASGITransport(self.service.app, raise_app_exceptions=False)
        self.browsers.append(httpx.AsyncClient(transport=transport, base_url=BASE, headers={"Accept": "text/html"}))
        return self.browsers[-1]

    async def begin(self, browser: httpx.AsyncClient, target: str = "") -> str:
        """The provider's address to which the browser is sent."""
        answer = await browser.get("/sign-in/start", params={"next": target} if target else {})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def authorize(self, url: str) -> str:
        """Sign in at the provider; where it sends the browser."""
        async with httpx.AsyncClient() as at_provider:
            answer = await at_provider.get(url)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def sign_in(self, browser: httpx.AsyncClient, target: str = "") -> httpx.Response:
        """The whole way of a person at a browser."""
        return await browser.get(await self.authorize(await self.begin(browser, target)))

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        async with self.service.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch(statement)]


@pytest.fixture(scope="session")
def listening_provider() -> Iterator[OidcProvider]:
    with OidcProvider() as listening:
        yield listening


@pytest.fixture(scope="session")
async def shared_desk(
    databases: Databases, bootstrap_servers: str, listening_provider: OidcProvider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SignInProbe]:
    """One desk for all tests of the sign-in: a database for each would take ten times as long as the tests."""
    folder, url = tmp_path_factory.mktemp("sign-in"), await databases.create_migrated()
    people: list[dict[str, Any]] = [{**person, **({"account": "HeZong"} if person["id"] == "he" else {})} for person in PEOPLE]
    absent = [{"from": "2026-01-01T00:00:00+08:00", "to": "2100-01-01T00:00:00+08:00"}]
    people.append({"id": "away", "roles": ["supervisor"], "substitute": "li", "absent": absent})
    accounts = folder / "accounts.yaml"
    # Two accounts of one person, since each name may be tried once in five seconds.
    password = hash_password("correct horse")
    accounts_of_wang = [{"name": name, "person": "wang", "password": password, "token": f"{name}-token"} for name in ("wang", "wang-2")]
    accounts.write_text(yaml.safe_dump({"accounts": accounts_of_wang}), encoding="utf-8")
    settings = SettingsFactory(bootstrap_servers, url, fresh_prefix())(
        DeskSettings,
        organisation=write_organisation(folder, people=people, departments=DEPARTMENTS),
        desk_path="/desk",
        desk_url=BASE,
        oidc_issuer=listening_provider.issuer,
        desk_client_secret=CLIENT_SECRET,
        desk_accounts=accounts,
    )
    clock = MovedClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "parse", classmethod(lambda *_: clock))
        service = build(settings)
    yield SignInProbe(service, listening_provider, clock)
    await service.processing_database.close()
    await service.database.close()
    await databases.drop(url)


@pytest.fixture
async def desk_sign_in(shared_desk: SignInProbe) -> AsyncIterator[SignInProbe]:
    """The desk without sessions, at the present instant, and a provider that answers truly."""
    provider = shared_desk.provider
    provider.account, provider.id_claims, provider.failing = "li", {}, False
    provider.grants.clear()
    provider.refresh_tokens.clear()
    provider.requests.clear()
    shared_desk.clock.moved = timedelta()
    async with shared_desk.service.database.transaction() as tx:
        await tx.execute("TRUNCATE session, sign_in_attempt")
    yield shared_desk
    for browser in shared_desk.browsers:
        await browser.aclose()
    shared_desk.browsers.clear()
