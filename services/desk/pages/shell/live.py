"""Server-sent events: open pages learn that the read model changed, and how old it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any, cast

import orjson
import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from services.desk.application.live_feed import LiveFeed, TooManyPagesError
from services.desk.domain.viewer import Viewer
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, SessionReader, signed_in
from shared.runtime.clock import jitter, monotonic
from shared.runtime.process.failures import OUTAGE_CLASSES, is_infrastructure, redacted_reason

log = structlog.get_logger(__name__)

_HEARTBEAT_SECONDS = 10.0
"""A proxy ends a stream that is silent for a minute; the age on the page is renewed as often."""
_RECONNECT_MS = 5000


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /changes`."""
    routes = APIRouter()

    @routes.get("/changes")
    async def changes(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """Events `state`: JSON with the version of the read model, its age in words, and the person's counters."""
        if dependencies.feed.is_full:
            # The browser tries again; the page works without the stream.
            return Response(status_code=503, headers={"Retry-After": "30"})
        language = dependencies.pages.language(request)
        sessions = cast("SessionReader", request.app.state.sessions)
        states = page_states(dependencies, dependencies.viewer(session), language, partial(sessions.holds, request))
        return StreamingResponse(states, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    return routes


async def page_states(
    dependencies: DeskDependencies, viewer: Viewer, language: str, session_holds: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[bytes, None]:
    """The stream of one page: a state now, at every change, and every ten seconds, until its session ends."""
    try:
        with dependencies.feed.page():
            # Spread, so that the pages that a restart closed do not all come back in one instant.
            yield b"retry: %d\n\n" % jitter(_RECONNECT_MS)
            async for state in _states(dependencies, viewer, language, session_holds):
                yield b"event: state\ndata: %b\n\n" % orjson.dumps(state)
    except TooManyPagesError:
        return
    except OUTAGE_CLASSES as error:
        if not is_infrastructure(error):
            raise
        # No error can follow an answer that has begun; the browser opens the stream again.
        log.warning("stream ended by an outage", reason=redacted_reason(error))


async def _states(
    dependencies: DeskDependencies, viewer: Viewer, language: str, session_holds: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[dict[str, Any], None]:
    feed: LiveFeed = dependencies.feed
    # The request has just been answered for the session.
    asked = monotonic()
    async for version in feed.changes(_HEARTBEAT_SECONDS):
        # Not at each change: hundreds of open pages would ask the database with every complaint.
        if monotonic() - asked >= _HEARTBEAT_SECONDS:
            async with feed.session_checks:
                if not await session_holds():
                    return
            asked = monotonic()
        counts = await dependencies.inbox.open_cases.following_counts(viewer, version)
        yield {"version": version, "as_of": dependencies.pages.as_of(language), "counts": counts}
