"""Spans: what is sampled, what a collector receives, and a process whose collector does not answer."""

import socket
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from opentelemetry import trace

from shared.runtime.errors import Misconfigured
from shared.runtime.tracing import spans
from shared.runtime.tracing.context import is_sampled
from shared.runtime.tracing.linked_traces import LinkedTraces
from shared.runtime.tracing.spans import Span, SpanKind, Tracing
from tests.support.servers.otlp_receiver import OtlpReceiver

TRACE, PARENT = "a" * 32, "b" * 16
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


def opened(receiver: OtlpReceiver, ratio: float) -> Tracing:
    tracing = Tracing("probe", receiver.endpoint, ratio, {"authorization": "Basic x"})
    tracing.open()
    return tracing


def started(span: Span | None) -> Span:
    assert span is not None
    return span


async def test_span_is_exported_below_its_parent_with_its_attributes_and_error(tracing: Tracing, receiver: OtlpReceiver) -> None:
    since = datetime.now(UTC) - timedelta(seconds=90)
    span = started(tracing.start("publish x", SpanKind.PRODUCER, SAMPLED, {"jiesu.case": "c"}, since))
    span.set("messaging.batch.message_count", 3)
    span.end("refused")
    await tracing.close(5)
    [received] = receiver.spans
    assert (received.service, received.name, received.kind) == ("probe", "publish x", "PRODUCER")
    assert (received.trace, received.parent) == (TRACE, PARENT)
    assert span.traceparent == f"00-{TRACE}-{received.id}-01"
    assert received.attributes == {"jiesu.case": "c", "messaging.batch.message_count": 3}
    assert received.failed
    assert received.start == pytest.approx(since.timestamp() * 1e9, abs=2000)


async def test_trace_of_an_unsampled_caller_is_left_out(receiver: OtlpReceiver) -> None:
    tracing = opened(receiver, 1.0)
    assert tracing.start("x", SpanKind.SERVER, UNSAMPLED, {}) is None
    assert tracing.start("x", SpanKind.SERVER, None, {}) is None
    await tracing.close(5)
    assert receiver.spans == []


async def test_ratio_decides_on_new_traces_and_a_link_to_a_sampled_one_overrules_it(receiver: OtlpReceiver) -> None:
    tracing = opened(receiver, 0.0)
    ordinary = started(tracing.start_trace("request", SpanKind.SERVER, {}))
    linked = started(tracing.start_trace("timer", SpanKind.INTERNAL, {}, SAMPLED))
    of_unsampled = started(tracing.start_trace("timer", SpanKind.INTERNAL, {}, UNSAMPLED))
    for span in (ordinary, linked, of_unsampled):
        span.end()
    await tracing.close(5)
    assert [is_sampled(span.traceparent) for span in (ordinary, linked, of_unsampled)] == [False, True, False]
    [received] = receiver.spans
    assert (received.name, received.parent, received.links) == ("timer", "", ((TRACE, PARENT),))
    assert received.trace != TRACE
    assert receiver.headers[0]["authorization"] == "Basic x"


async def test_share_of_sampled_traces_is_the_ratio(receiver: OtlpReceiver) -> None:
    tracing = opened(receiver, 0.25)
    sampled = sum(is_sampled(started(tracing.start_trace("x", SpanKind.SERVER, {})).traceparent) for _ in range(2000))
    await tracing.close(5)
    assert 400 < sampled < 600


def test_without_an_endpoint_nothing_is_started() -> None:
    tracing = Tracing("probe")
    tracing.open()
    assert not tracing.is_on
    assert tracing.start("x", SpanKind.SERVER, SAMPLED, {}) is None
    assert tracing.start_trace("x", SpanKind.SERVER, {}) is None
    assert LinkedTraces(tracing).start("timer", SAMPLED, {}) == SAMPLED


@pytest.mark.parametrize("status", [400, 503])
async def test_collector_that_refuses_costs_nothing_but_the_spans(receiver: OtlpReceiver, status: int) -> None:
    receiver.answer = status
    tracing = opened(receiver, 1.0)
    started(tracing.start_trace("x", SpanKind.SERVER, {})).end()
    began = monotonic()
    await tracing.close(0.5)
    assert monotonic() - began < 3
    assert receiver.spans == []
    receiver.answer = 200


async def test_collector_that_never_answers_does_not_hold_up_the_stop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracing = Tracing("probe", f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces")
        tracing.open()
        started(tracing.start_trace("x", SpanKind.SERVER, {})).end()
        began = monotonic()
        await tracing.close(0.3)
        assert monotonic() - began < 2


def test_endpoint_without_the_packages_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "find_spec", lambda _: None)
    with pytest.raises(Misconfigured, match=r"JIESU_TRACE_ENDPOINT: tracing needs further packages: install jiesu\[tracing\]"):
        Tracing("probe", "http://127.0.0.1:4318/v1/traces")


async def test_libraries_cannot_export_by_our_provider(tracing: Tracing) -> None:
    assert tracing.is_on
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"
