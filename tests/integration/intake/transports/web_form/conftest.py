"""Intake with a web form, and a browser without scripts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.runtime.service import Service
from tests.integration.intake.attachments.conftest import ATTACHMENT_KEY
from tests.integration.intake.conftest import query_rows
from tests.support.html_page import HtmlPage
from tests.support.messaging.sample_organisation import SOURCES, write_organisation

FOLLOW_SECRET = "a follow key of the tests"
FORM = {
    "fields": [
        *("text", "place", "happened_at", "against", "name", "phone", "email"),
        {"field": "facts.media", "label": {"zh": "是否已联系媒体", "en": "Did you contact the press"}},
        {"field": "product", "choices": [{"value": "lift", "zh": "电梯", "en": "Lift"}, {"value": "roof", "zh": "屋面", "en": "Roof"}]},
    ]
}
TYPED = {"text": "3号楼电梯停运 <b>", "phone": "13800001234", "place": "3号楼", "product": "lift", "facts.media": "true"}
FormsWith = Callable[..., AbstractAsyncContextManager[tuple[Service, httpx.AsyncClient]]]
URL = "/complain/web"


@pytest.fixture
def forms_with(settings: IntakeSettings, tmp_path: Path) -> FormsWith:
    """`forms_with(form={...}, form_min_seconds=…)`: intake with a form on source web, and a browser without scripts."""

    @asynccontextmanager
    async def run(form: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
        contact = {"contact_name": "客服中心", "contact_phone": "400-800-0000", "form": FORM | (form or {})}
        organisation = write_organisation(tmp_path, sources=[SOURCES[0] | contact, SOURCES[1]])
        values = {
            "organisation": organisation,
            "attachment_store": str(tmp_path / "attachments"),
            "attachment_key": SecretStr(ATTACHMENT_KEY),
            "follow_key": SecretStr(FOLLOW_SECRET),
            "follow_url": "https://complaints.example.org/f",
            "form_min_seconds": 0.0,
            **options,
        }
        async with build(settings.model_copy(update=values)).running() as service, browsing(service) as browser:
            yield service, browser

    return run


def browsing(service: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}", timeout=30)


async def opened(browser: httpx.AsyncClient, language: str = "zh") -> HtmlPage:
    answer = await browser.get(URL, params={"lang": language})
    assert answer.status_code == 200, answer.text
    return HtmlPage.parse(answer.text)


async def send(
    browser: httpx.AsyncClient, values: dict[str, Any], *files: tuple[str, bytes], language: str = "zh", **headers: str
) -> httpx.Response:
    parts = [("files", (name, content, "application/octet-stream")) for name, content in files]
    return await browser.post(URL, params={"lang": language}, data=values, files=parts or [("files", ("", b""))], headers=headers)


async def registered(service: Service) -> list[dict[str, Any]]:
    rows = await query_rows(service, "SELECT case_id, number, body::jsonb->'complaint' AS complaint FROM complaint ORDER BY registered_at")
    return [dict(row) for row in rows]
