"""The HTTP server waits for its end instead of looking ten times a second whether it should."""

import asyncio

import pytest
import uvicorn

from shared.runtime.http import server
from shared.runtime.http.server import _UvicornServer


async def test_server_ends_at_once_and_has_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_DATE_SECONDS", 3600.0)
    uvicorn_server = _UvicornServer(uvicorn.Config(lambda: None))
    ticks: list[int] = []
    on_tick = uvicorn_server.on_tick

    async def counted(counter: int) -> bool:
        ticks.append(counter)
        return await on_tick(counter)

    monkeypatch.setattr(uvicorn_server, "on_tick", counted)
    running = asyncio.create_task(uvicorn_server.main_loop())
    await asyncio.sleep(0)
    assert [name for name, _ in uvicorn_server.server_state.default_headers] == [b"date"]
    uvicorn_server.exit()
    await running
    assert ticks == [0, 0]
