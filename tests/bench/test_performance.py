"""The goals for a decision and for the whole chain, measured and printed; the machine's other work counts against them."""

from __future__ import annotations

import pytest

from tests.bench import decide, page, pipeline


def test_a_decision_with_ten_clocks_takes_less_than_60_microseconds() -> None:
    found = decide.measure()
    print(found)  # noqa: T201 - a figure
    assert float(str(found["median_micros"])) < decide.LIMIT_MICROS


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("procedure", list(pipeline.ORGANISATIONS))
def test_complaints_go_through_once_in_little_memory(procedure: str) -> None:
    found = pipeline.run_benchmark(pipeline.COMPLAINTS, procedure)
    print(found)  # noqa: T201 - a figure
    page.main()
    assert (found["lost"], found["duplicated"], found["disordered"]) == (0, 0, 0), found["details"]
    assert all(found["resident_megabytes"][service] < 200 for service in ("intake", "triage", "sla", "notify"))
    if procedure == "one-notice":
        assert found["complaints_a_second"] >= 1000
