"""Every operation of the services' HTTP interfaces asks who calls, and takes a person's access token where it takes a person."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake import bootstrap as intake
from services.intake.config import IntakeSettings
from services.sla import bootstrap as sla
from services.sla.config import SlaSettings
from services.triage import bootstrap as triage
from services.triage.config import TriageSettings
from shared.runtime.service import Service
from tests.support.messaging.sample_organisation import write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.oidc_provider import OidcProvider

OPEN = {
    ("intake", "GET", "/v1/attachments/{sha256}"),  # signed addresses
    ("intake", "POST", "/v1/webhooks/{source}"),  # signed calls
    ("intake", "GET", "/complain/{source}"),
    ("intake", "POST", "/complain/{source}"),
}
"""Operations that anybody may call: they have another proof, or none. The probes need none either."""
BUILD: dict[str, Callable[[SettingsFactory, Path, str], Service]] = {
    "intake": lambda make, organisation, issuer: intake.build(
        make(IntakeSettings, organisation=organisation, oidc_issuer=issuer, sealing_keys=f"k1:{'A' * 43}=", pseudonym_key="p")
    ),
    "triage": lambda make, organisation, issuer: triage.build(make(TriageSettings, organisation=organisation, oidc_issuer=issuer)),
    "sla": lambda make, organisation, issuer: sla.build(
        make(SlaSettings, organisation=organisation, oidc_issuer=issuer, attachment_key="k" * 44)
    ),
}
PEOPLE = [{"id": "li", "name": "李雷", "roles": ["handler"]}]
BODY_OF_A_PERSON = {("POST", "/v1/complaints"), ("POST", "/v1/attachments")}
"""Operations of intake that people may call too; the others are for sources."""


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as listening:
        yield listening


def operations(service: Service) -> list[tuple[str, str]]:
    paths: dict[str, Any] = service.app.openapi()["paths"]
    found = [(method.upper(), path) for path, each in paths.items() for method in each if method in ("get", "post", "put", "delete")]
    return [(method, path) for method, path in found if (service.name, method, path) not in OPEN and path.startswith("/v1")]


def address(path: str) -> str:
    named = re.sub(r"\{(\w+)(:\w+)?\}", lambda name: "2026-09-01" if name[1] in ("day", "period") else "x", path)
    # FastAPI checks the query before the caller is known.
    return f"{named}?name=x" if path == "/v1/attachments" else named


@pytest.mark.parametrize("name", BUILD)
async def test_every_operation_asks_who_calls(make_settings: SettingsFactory, tmp_path: Path, provider: OidcProvider, name: str) -> None:
    service = BUILD[name](make_settings, write_organisation(tmp_path, people=PEOPLE), provider.issuer)
    good, wrong = provider.access_token(), provider.access_token(aud="another-application")
    asked = operations(service)
    assert len(asked) >= 2
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        for method, path in asked:
            for token in ("", "made up", wrong):
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = await http.request(method, address(path), headers=headers)
                assert answer.status_code == 401, (method, path, answer.text)
            if name != "intake" or (method, path) in BODY_OF_A_PERSON:
                answer = await http.request(method, address(path), headers={"Authorization": f"Bearer {good}"})
                assert answer.status_code not in (401, 500), (method, path, answer.text)
    await service.processing_database.close()
    await service.database.close()
