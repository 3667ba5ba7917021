"""The trace context of requests, records and the running code."""

import pytest

from shared.runtime.tracing.context import Activity, current_traceparent, exemplar, trace_id, valid_traceparent, working_on

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_traceparent_of_version_00_is_taken() -> None:
    assert valid_traceparent(f"00-{TRACE}-{SPAN}-01") == f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x" * 1_000_000,
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
    ],
)
def test_another_traceparent_is_ignored(text: str | None) -> None:
    assert valid_traceparent(text) is None


def test_trace_id_is_that_of_the_innermost_activity() -> None:
    assert (trace_id(), current_traceparent(), exemplar()) == (None, None, None)
    with working_on(Activity(f"00-{TRACE}-{SPAN}-01")):
        with working_on(Activity(f"00-{'c' * 32}-{SPAN}-00")):
            assert trace_id() == "c" * 32
        assert trace_id() == TRACE
    assert trace_id() is None
    assert trace_id(f"00-{TRACE}-{SPAN}-00") == TRACE


@pytest.mark.parametrize(("flags", "label"), [("00", None), ("01", {"trace_id": TRACE}), ("02", None), ("03", {"trace_id": TRACE})])
def test_only_a_sampled_trace_is_an_exemplar(flags: str, label: dict[str, str] | None) -> None:
    assert exemplar(f"00-{TRACE}-{SPAN}-{flags}") == label
