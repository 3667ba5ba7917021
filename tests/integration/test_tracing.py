"""One trace from HTTP through outbox, services and provider, and a linked one of its timer, as a collector receives them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.sinks import MailSink
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from shared.runtime.tracing.spans import ATTRIBUTES
from tests.support.messaging.all_services import apply_all_topics, build_services, http_client, running, write_estate
from tests.support.messaging.sample_organisation import submission_body
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.otlp_receiver import OtlpReceiver, ReceivedSpan
from tests.support.waiting import wait_for

PERSONAL = ("欧阳远行", "13812345678", "ouyang@example.com", "电梯停运", "翠苑一区", "ouyang-1", "li@example.org", "zhao@example.org")
DOMAIN_START = "2026-11-28T08:00:00+08:00"
SPEED = 20_000
"""Whenever the complaint comes, a timer fires within 13 seconds: before the end of the day, or three days later if that has passed."""
WAY = (
    ("intake", "POST /v1/complaints"),
    ("intake", "publish complaint-events"),
    ("triage", "process complaint-events"),
    ("triage", "publish triage-events"),
    ("sla", "process triage-events"),
    ("sla", "publish case-events"),
    ("notify", "process case-events"),
    ("notify", "send email"),
)
ARM_TIMERS = ("process triage-events", "apply deferred input", "fire timer")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
async def services(receiver: OtlpReceiver, make_settings: SettingsFactory, tmp_path: Path) -> AsyncIterator[dict[str, Service]]:
    await apply_all_topics(make_settings(RuntimeSettings))
    async with MailSink(tmp_path) as mail:
        notify = {"smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_security": "none", "delivery_poll": 0.05}
        options = {
            "trace_endpoint": receiver.endpoint,
            "trace_ratio": 1.0,
            "clock": f"{DOMAIN_START}@{datetime.now(UTC).isoformat()}x{SPEED}",
        }
        async with running(build_services(make_settings, write_estate(tmp_path), notify=notify, **options)) as started:
            yield started


def on_the_way(receiver: OtlpReceiver, names: Sequence[tuple[str, str]], below: Sequence[ReceivedSpan]) -> list[ReceivedSpan]:
    """The spans from one of `below` down, each a child of the one before, whose services and names are these; empty without them."""
    if not names:
        return []
    for span in below:
        if (span.service, span.name) == names[0]:
            rest = on_the_way(receiver, names[1:], receiver.children(span))
            if len(rest) == len(names) - 1:
                return [span, *rest]
    return []


def linked_to(receiver: OtlpReceiver, trace: str) -> list[ReceivedSpan]:
    """The spans that link to the trace, also over others: an input that waits for the watermark arms timers in a trace of its own."""
    traces, found = {trace}, list[ReceivedSpan]()
    while linked := [span for span in receiver.spans if span not in found and traces & {of for of, _ in span.links}]:
        found += linked
        traces |= {span.trace for span in linked}
    return found


async def test_one_complaint_is_one_trace_and_its_timer_a_linked_one(services: dict[str, Service], receiver: OtlpReceiver) -> None:
    body = submission_body(
        received_at=services["intake"].clock.now().isoformat(),
        external_id="ouyang-1",
        complainant={"name": "欧阳远行", "phone": "13812345678", "email": "ouyang@example.com"},
        text="三号楼电梯停运",
        place="翠苑一区",
    )
    async with http_client(services["intake"]) as client:
        case = (await client.post("/v1/complaints", json=body)).json()["case"]

    def way() -> list[ReceivedSpan]:
        return on_the_way(receiver, WAY, [span for span in receiver.spans if not span.parent])

    spans = await wait_for(way, deadline=40, what="the way from HTTP to the provider")
    root = spans[0]

    def timer_way() -> list[ReceivedSpan]:
        return on_the_way(receiver, [("sla", "fire timer"), *WAY[5:]], linked_to(receiver, root.trace))

    [fired, published, *_] = await wait_for(timer_way, deadline=40, what="the way from a timer to the provider")

    assert [span.kind for span in spans] == ["SERVER", *["PRODUCER", "CONSUMER"] * 3, "CLIENT"]
    assert {span.trace for span in spans} == {root.trace}
    assert all(span.attributes["jiesu.case"] == case for span in [*spans[1:], fired])
    assert (spans[-1].attributes["jiesu.provider"], spans[-1].attributes["jiesu.outcome"]) == ("smtp", "accepted")
    starts = [span.start for span in spans]
    assert starts == sorted(starts), "each begins after what caused it"

    assert (fired.kind, fired.trace == root.trace, published.trace) == ("INTERNAL", False, fired.trace)
    [armed_by] = [span for span in receiver.spans if (span.trace, span.id) in fired.links]
    assert (armed_by.service, armed_by.name in ARM_TIMERS) == ("sla", True)

    assert not any(span.failed for span in receiver.spans)
    assert {name for span in receiver.spans for name in span.attributes} <= ATTRIBUTES
    exported = b"".join(receiver.bodies)
    assert [text for text in PERSONAL if text.encode() in exported] == []
