"""Files of forms that were never registered are deleted, and no others."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.intake.attachments.setup import open_attachments
from services.intake.attachments.store import AttachmentStore
from shared.runtime.service import Service
from tests.integration.intake.attachments.conftest import JPEG
from tests.integration.intake.conftest import query_rows, source_client
from tests.integration.intake.transports.web_form.conftest import TYPED, FormsWith, opened, registered, send
from tests.integration.intake.transports.web_form.test_form_replay import replayed
from tests.support.html_page import HtmlPage
from tests.support.waiting import wait_for

AGE = timedelta(hours=25)
OTHER = b"%PDF-1.4\n%%EOF"


def store_of(service: Service) -> AttachmentStore:
    settings: Any = service.settings
    store = open_attachments(settings, service.database)
    assert store is not None
    return store


async def make_old(service: Service) -> None:
    await query_rows(service, "UPDATE attachment SET last_stored_at = now() - interval '26 hours' RETURNING sha256")


async def digests(service: Service) -> list[str]:
    return [row["sha256"] for row in await query_rows(service, "SELECT sha256 FROM attachment ORDER BY sha256")]


def stored_files(folder: Path) -> list[str]:
    return sorted(path.parent.name + path.name for path in folder.rglob("*") if path.is_file())


async def test_file_of_a_form_that_was_never_registered_is_deleted(forms_with: FormsWith, tmp_path: Path) -> None:
    async with forms_with() as (service, browser):
        refused = HtmlPage.parse((await send(browser, (await opened(browser)).values(), ("现场.jpg", JPEG))).text).values()
        await send(browser, (await opened(browser)).values() | TYPED, ("a.pdf", OTHER))
        store = store_of(service)
        assert await store.delete_unregistered(AGE) == 0, "the form can still be sent"
        await make_old(service)
        assert await store.delete_unregistered(AGE) == 1
        assert await digests(service) == stored_files(tmp_path / "attachments") == [sha256(OTHER).hexdigest()]
        shown = HtmlPage.parse((await send(browser, refused | TYPED)).text)
        assert "现场.jpg: 文件已不在系统中" in shown.by_id("summary").text
        assert "kept" not in shown.values()
        answer = await send(browser, shown.values(), ("现场.jpg", JPEG))
        assert answer.status_code == 200
        await make_old(service)
        assert await store.delete_unregistered(AGE) == 0


@pytest.mark.parametrize("form_first", [True, False])
async def test_file_that_came_by_another_way_too_stays(forms_with: FormsWith, *, form_first: bool) -> None:
    async with forms_with() as (service, browser), source_client(service) as client:
        for is_form in (form_first, not form_first):
            if is_form:
                await send(browser, (await opened(browser)).values(), ("现场.jpg", JPEG))
            else:
                assert (await client.post("/v1/attachments?name=a.jpg", content=JPEG)).status_code == 201
        await make_old(service)
        assert await store_of(service).delete_unregistered(AGE) == 0
        assert len(await digests(service)) == 1


async def test_file_of_a_form_that_is_sent_again_is_young_again(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        refused = HtmlPage.parse((await send(browser, (await opened(browser)).values(), ("现场.jpg", JPEG))).text).values()
        await make_old(service)
        await send(browser, refused)
        assert await store_of(service).delete_unregistered(AGE) == 0


async def test_replay_registers_a_form_without_its_deleted_files(forms_with: FormsWith) -> None:
    async with forms_with(max_complaint_bytes=50) as (service, browser):
        await send(browser, (await opened(browser)).values() | TYPED, ("现场.jpg", JPEG))
        await make_old(service)
        assert await store_of(service).delete_unregistered(AGE) == 1
        assert await replayed(service, max_complaint_bytes=100_000) == [{"registered": 1}]
        [row] = await registered(service)
        [body] = await query_rows(service, "SELECT body::jsonb->'unreadable' AS unreadable FROM complaint")
    assert row["complaint"].get("attachments", []) == []
    assert body["unreadable"] == ["attachments"]


async def test_service_deletes_at_its_start(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        await send(browser, (await opened(browser)).values(), ("现场.jpg", JPEG))
        await make_old(service)
    async with forms_with() as (service, _):

        async def is_deleted() -> bool:
            return await digests(service) == []

        await wait_for(is_deleted)
