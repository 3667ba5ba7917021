"""The spans of a relay cycle: one for each trace and case of a row, ended once all of its messages are acknowledged."""

from datetime import UTC, datetime, timedelta

from shared.contracts.envelope import CE_TYPE, TRACEPARENT_HEADER
from shared.runtime.outbox.publish_spans import PublishSpans
from shared.runtime.tracing.spans import Tracing
from tests.support.servers.otlp_receiver import OtlpReceiver

WRITTEN = datetime.now(UTC) - timedelta(seconds=20)
PARENT = "b" * 16
FIRST, SECOND = (f"00-{digit * 32}-{PARENT}-01" for digit in "ac")
UNSAMPLED = f"00-{'d' * 32}-{PARENT}-00"


def follow(publishing: PublishSpans, traceparent: str | None, event_type: str, row: int = 1) -> str | None:
    """The traceparent with which a message is sent."""
    headers = [[CE_TYPE, event_type], *([[TRACEPARENT_HEADER, traceparent]] if traceparent else [])]
    publishing.follow(row, "case-events", "case", headers, WRITTEN)
    return dict(headers).get(TRACEPARENT_HEADER)


async def test_messages_of_one_trace_share_a_span_from_their_writing_to_the_acknowledgement(
    tracing: Tracing, receiver: OtlpReceiver
) -> None:
    publishing = PublishSpans(tracing)
    sent = [follow(publishing, FIRST, "registered"), follow(publishing, FIRST, "clock_started"), follow(publishing, UNSAMPLED, "x")]
    assert (follow(publishing, None, "y"), sent[2]) == (None, UNSAMPLED)
    publishing.end([None] * 4)
    await tracing.close(5)
    [span] = receiver.spans
    assert sent[:2] == [f"00-{span.trace}-{span.id}-01"] * 2
    assert (span.parent, span.attributes["messaging.batch.message_count"]) == (PARENT, 2)
    assert span.attributes["jiesu.event.type"] == "clock_started, registered"
    assert span.end - span.start > 19 * 10**9


async def test_span_of_messages_that_are_sent_again_is_left_out(tracing: Tracing, receiver: OtlpReceiver) -> None:
    publishing = PublishSpans(tracing)
    for traceparent in (FIRST, SECOND, FIRST):
        follow(publishing, traceparent, "x")
    publishing.end([None, None, TimeoutError()])
    await tracing.close(5)
    assert [span.trace for span in receiver.spans] == ["c" * 32]
