"""Many faults at random instants under load: nothing is lost, doubled, unseen, reordered, invented, early or stuck."""

import asyncio
from pathlib import Path

import httpx
import pytest

from cli.service_names import SERVICES
from tests.support.faults.plan import GAP_SECONDS, plan_faults
from tests.support.faults.run import MOST_MEGABYTES, RunLimits, run_under_faults
from tests.support.faults.system import faulty_system

PATIENCE_SECONDS = 1800.0


@pytest.mark.timeout(3 * 3600)
def test_random_faults_leave_no_anomaly(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    number, minutes, seed, brokers = (pytestconfig.getoption(name) for name in ("faults", "minutes", "seed", "brokers"))
    with faulty_system(tmp_path, "faults", brokers) as system:
        # Closer together where the time is short.
        plan = plan_faults(seed, number, kinds=system.kinds, gap=min(GAP_SECONDS, minutes * 60 / number))
        print(f"seed {seed}, {len(plan)} faults:", *plan, sep="\n")  # noqa: T201 - the plan is repeatable by it
        result = asyncio.run(run_under_faults(system, plan, print, RunLimits(3, 0.1, minutes * 60, PATIENCE_SECONDS, seed)))
    print(result)  # noqa: T201 - figures
    assert result.anomalies.none, str(result)
    assert all(0 < result.megabytes[name] < MOST_MEGABYTES for name in SERVICES), str(result)
    assert httpx.codes.INTERNAL_SERVER_ERROR not in result.hostile.answers
    assert len(result.accepted) > result.faults.total() / 2
