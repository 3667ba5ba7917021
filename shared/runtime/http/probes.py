"""The probes of a process, /live, /ready and /startup, and /metrics; none needs a key, none answers with personal data."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from shared.runtime.clock import Clock
from shared.runtime.http.openapi import problem_responses
from shared.runtime.http.problem import SERVER_FAULT
from shared.runtime.http.request_metrics import exposition_for
from shared.runtime.process.health import STALLED_REMEDY, Health, Reason

ProbeState = Literal["alive", "stalled", "ready", "degraded", "not_ready", "started", "starting"]


class HealthReason(BaseModel):
    """Why the state is what it is."""

    component: str = Field(description="the part concerned: database, broker, consumer, relay, a loop, …")
    reason: str = Field(description="what is wrong, without personal data")
    since: datetime = Field(description="since when")
    remedy: str = Field(description="what to do about it")
    blocking: bool = Field(description="whether the probe fails for this reason")


class HealthAnswer(BaseModel):
    """The state of the process and each reason for it."""

    status: Literal["ok", "failing"] = Field(description="ok with 200, failing with 503")
    state: ProbeState = Field(description="degraded: requests are answered, but something stands behind them, such as the broker")
    reasons: list[HealthReason] = Field(default_factory=list)
    stalled: dict[str, float] = Field(default_factory=dict, description="/live: seconds since the last progress of loops that stand")
    ages: dict[str, float] = Field(default_factory=dict, description="/live: seconds since each loop's last progress")
    troubles: dict[str, str] = Field(default_factory=dict, description="/ready: component → what is wrong")


_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"model": HealthAnswer}, 503: {"model": HealthAnswer, "description": "failing"}}


def probe_router(health: Health) -> APIRouter:
    """Liveness, readiness, start and metrics."""
    router = APIRouter(tags=["health"], responses=problem_responses(SERVER_FAULT))

    @router.get("/live", responses=_RESPONSES)
    async def live() -> Response:
        """200 while every loop makes progress, whatever other servers do; 503 with the loops that stalled: restart the process."""
        stalled = health.stalled()
        detail = {"stalled": stalled, "ages": health.ages()}
        return _answer("stalled" if stalled else "alive", not stalled, _stalled_reasons(stalled), detail)

    @router.get("/ready", responses=_RESPONSES)
    async def ready() -> Response:
        """200 while requests can be answered, `degraded` with reasons that do not block them; 503 without the database, and at the stop."""
        state: ProbeState = ("degraded" if health.is_degraded else "ready") if health.is_ready else "not_ready"
        return _answer(state, health.is_ready, health.reasons(), {"troubles": health.troubles()})

    @router.get("/startup", responses=_RESPONSES)
    async def startup() -> Response:
        """503 until the start is over; from then on 200. The broker is not awaited: what it would bring is read later."""
        reasons = [] if health.started else [reason for reason in health.reasons() if reason.blocking]
        return _answer("started" if health.started else "starting", health.started, reasons, {})

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Metrics in the Prometheus text format, with exemplars as OpenMetrics where the scraper accepts that."""
        text, media_type = exposition_for(request.headers.get("accept", ""))
        # As a header: of a media type Starlette would make another one by adding its own charset.
        return Response(text, headers={"content-type": media_type})

    return router


def _stalled_reasons(stalled: dict[str, float]) -> list[Reason]:
    now = Clock().real_now()
    return [
        Reason(loop, f"no progress for {age:.0f} s", now - timedelta(seconds=age), STALLED_REMEDY, blocking=True)
        for loop, age in stalled.items()
    ]


def _answer(state: ProbeState, ok: bool, reasons: Iterable[Reason], detail: dict[str, Any]) -> Response:
    listed = [
        {
            "component": reason.component,
            "reason": reason.reason,
            "since": reason.since.isoformat(timespec="seconds"),
            "remedy": reason.remedy,
            "blocking": reason.blocking,
        }
        for reason in reasons
    ]
    return JSONResponse({"status": "ok" if ok else "failing", "state": state, "reasons": listed, **detail}, 200 if ok else 503)
