"""Open pages learn of a change at once, from whichever process, and the work ends with the page."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import orjson
import pytest
from fastapi import Request
from sqlalchemy.exc import NoResultFound
from sqlalchemy.exc import TimeoutError as QueuePoolTimeoutError

from services.desk.application.live_feed import LiveFeed, TooManyPagesError
from services.desk.pages.shell import live
from services.desk.pages.shell.live import page_states
from tests.integration.desk.conftest import DeskProbe, registration

ANY_REQUEST = Request({"type": "http", "headers": []})


async def next_state(states: AsyncIterator[bytes]) -> dict[str, Any]:
    async for message in states:
        if message.startswith(b"event: state"):
            found: dict[str, Any] = orjson.loads(message.partition(b"data: ")[2])
            return found
    raise AssertionError("the stream ended")


async def test_a_change_reaches_an_open_page(desk: DeskProbe) -> None:
    dependencies = desk.service.app.state.dependencies
    viewer = dependencies.viewer(desk.sign_in("li"))
    await dependencies.feed.poll()
    states = page_states(dependencies, viewer, "en", partial(desk.sessions.holds, ANY_REQUEST))
    assert (await next_state(states))["counts"]["open"] == 0
    waiting = asyncio.ensure_future(next_state(states))
    await desk.apply([registration("c1")])
    await dependencies.feed.poll()
    assert (await waiting)["counts"]["open"] == 1
    await states.aclose()


async def test_the_stream_ends_with_the_process(desk: DeskProbe) -> None:
    dependencies = desk.service.app.state.dependencies
    viewer = dependencies.viewer(desk.sign_in("li"))
    states = page_states(dependencies, viewer, "en", partial(desk.sessions.holds, ANY_REQUEST))
    await next_state(states)
    dependencies.feed.close()
    with pytest.raises(AssertionError, match="ended"):
        await next_state(states)


async def test_the_stream_ends_soon_after_its_session(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_HEARTBEAT_SECONDS", 0.01)
    dependencies = desk.service.app.state.dependencies
    viewer = dependencies.viewer(desk.sign_in("li"))
    states = page_states(dependencies, viewer, "en", partial(desk.sessions.holds, ANY_REQUEST))
    await next_state(states)
    desk.sessions.session = None
    # At most the state that was on its way already.
    assert len([state async for state in states if state.startswith(b"event: state")]) <= 1


async def test_an_outage_ends_the_stream_and_the_browser_opens_it_again(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_HEARTBEAT_SECONDS", 0.01)
    dependencies = desk.service.app.state.dependencies
    viewer = dependencies.viewer(desk.sign_in("li"))

    async def stream(error: Exception) -> list[bytes]:
        async def session_holds() -> bool:
            raise error

        return [state async for state in page_states(dependencies, viewer, "en", session_holds)]

    assert (await stream(QueuePoolTimeoutError()))[0].startswith(b"retry: ")
    with pytest.raises(NoResultFound):  # no outage, but a fault of ours
        await stream(NoResultFound())


async def test_a_process_keeps_as_many_pages_as_its_setting_allows(desk: DeskProbe) -> None:
    feed = LiveFeed(desk.service.database, desk.service.clock, 1)
    with feed.page():
        assert feed.is_full
        with pytest.raises(TooManyPagesError), feed.page():
            pass
    assert not feed.is_full


async def test_the_stream_needs_a_session(desk: DeskProbe) -> None:
    assert (await desk.browser.get("/changes")).status_code in (303, 401)


async def test_the_age_of_the_data_is_that_of_the_slowest_reader(desk: DeskProbe) -> None:
    feed: LiveFeed = desk.service.app.state.dependencies.feed
    await feed.poll()
    assert feed.age_seconds is None
    desk.sign_in("li")
    assert "age of the data unknown" in (await desk.browser.get("/help", headers={"Accept-Language": "en"})).text
    async with desk.service.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO reading_progress (process, version, lag_seconds, partitions, noted_at) VALUES "
            "(gen_random_uuid(), 1, 1, 12, now()), (gen_random_uuid(), 1, 120, 12, now()), "
            "(gen_random_uuid(), 1, 9000, 12, now() - interval '1 hour'), (gen_random_uuid(), 1, 9000, 0, now())"
        )
    await feed.poll()
    assert 120 <= (feed.age_seconds or 0) < 180
    assert "as of 2 min ago" in (await desk.browser.get("/help", headers={"Accept-Language": "en"})).text
