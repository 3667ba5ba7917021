"""Memory of every service while complaints arrive for five minutes; `make bench ARGS="memory --minutes 30"` measures more of them."""

import pytest

from cli.service_names import SERVICES
from tests.bench.growth.memory import measure_memory
from tests.support.faults.run import MOST_MEGABYTES

MINUTES = 5.0
RATE = 10.0
"""Complaints a second: what the other tests leave of the machine."""


@pytest.mark.timeout(900)
def test_no_service_takes_more_than_400_megabytes_in_five_minutes() -> None:
    figures = measure_memory(MINUTES, RATE)
    print(figures["megabytes"])  # noqa: T201
    assert figures["sent"] >= MINUTES * 60 * RATE * 0.9
    assert all(0 < figures["megabytes"][name]["most"] < MOST_MEGABYTES for name in SERVICES), figures["megabytes"]
