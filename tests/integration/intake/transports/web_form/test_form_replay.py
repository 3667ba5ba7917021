"""Sent forms are kept sealed before they are read, and registered from their copies unless they are registered."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.bootstrap import make_parts
from services.intake.storage import raw_copies
from services.intake.transports.replay import make_tools, replay
from services.intake.transports.web_form.form_copies import FormReader
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.service import Service
from tests.integration.intake.attachments.conftest import JPEG
from tests.integration.intake.conftest import query_rows
from tests.integration.intake.transports.web_form.conftest import TYPED, FormsWith, opened, registered, send
from tests.support.html_page import HtmlPage

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


async def replayed(service: Service, **changes: Any) -> list[dict[str, int]]:
    """The outcomes of `jiesu intake replay --channel form` with changed settings."""
    settings: Any = service.settings.model_copy(update=changes)
    organisation = load_checked_organisation(settings.organisation)
    parts = make_parts(settings, organisation, service.key_ring, service.clock, service.database)
    tools = make_tools(service.database, parts, dry_run=False)
    return [dict(copy.counts) async for copy in replay(tools, BEGINNING, channel="form")]


async def test_registered_form_has_a_sealed_copy_and_stays(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        page = await opened(browser)
        await send(browser, page.values() | TYPED, ("现场.jpg", JPEG))
        async with service.database.transaction() as tx:
            [head] = await raw_copies.find_heads(tx, BEGINNING, "web", "form", "", 10)
        settings: Any = service.settings
        organisation = load_checked_organisation(settings.organisation)
        parts = make_parts(settings, organisation, service.key_ring, service.clock, service.database)
        raw = await parts.raw_copies.open_raw(service.database, head)
        [row] = await registered(service)
        assert await replayed(service) == [{"duplicate": 1}]
        assert await registered(service) == [row]
        assert await query_rows(service, "SELECT count(*) AS copies FROM raw_copy") == [(1,)], "a replay keeps no copy of the copy"
    assert head.reference == f"form {page.values()['token'].split('.')[1]}"
    assert TYPED["text"] in raw.content.decode()
    assert row["complaint"]["attachments"][0] in raw.content.decode()
    assert page.values()["token"] not in raw.content.decode()


async def test_refused_form_is_registered_with_its_time_of_receipt(forms_with: FormsWith) -> None:
    async with forms_with(max_complaint_bytes=50) as (service, browser):
        refused = await send(browser, (await opened(browser)).values() | TYPED)
        assert (refused.status_code, await registered(service)) == (422, [])
        assert await replayed(service) == [{"refused": 1}]
        assert await replayed(service, max_complaint_bytes=100_000) == [{"registered": 1}]
        assert await replayed(service, max_complaint_bytes=100_000) == [{"duplicate": 1}]
        [row] = await registered(service)
        [times] = await query_rows(service, "SELECT received_at, registered_at FROM complaint")
    assert row["complaint"]["text"] == TYPED["text"]
    assert times["received_at"] < times["registered_at"]


async def test_form_that_could_not_be_read_is_registered(forms_with: FormsWith, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("a fault of ours")

    async with forms_with() as (service, browser):
        values = (await opened(browser)).values() | TYPED
        with monkeypatch.context() as patched:
            patched.setattr(FormReader, "fields", fail)
            assert (await send(browser, values)).status_code == 500
        assert await registered(service) == []
        assert await replayed(service) == [{"registered": 1}]
        again = await send(browser, values)
        [row] = await registered(service)
    assert (again.status_code, row["number"] in again.text) == (200, True)


async def test_corrected_form_is_read_and_not_the_one_before(forms_with: FormsWith) -> None:
    async with forms_with(max_complaint_bytes=50) as (service, browser):
        first = await send(browser, (await opened(browser)).values() | TYPED | {"phone": "1"})
        await send(browser, HtmlPage.parse(first.text).values() | {"phone": "13800001234", "text": "改正后的文字"})
        assert await replayed(service, max_complaint_bytes=100_000) == [{"ignored": 1}, {"registered": 1}]
        [row] = await registered(service)
    assert row["complaint"]["text"] == "改正后的文字"
