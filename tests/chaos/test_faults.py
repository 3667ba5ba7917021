"""Many faults at random instants under load: nothing is lost, doubled, unseen, reordered, invented, early or stuck."""

import asyncio
from pathlib import Path

import pytest

from tests.support.faults.plan import KINDS, plan_faults
from tests.support.faults.run import run_under_faults
from tests.support.faults.system import faulty_system


@pytest.mark.timeout(3 * 3600)
def test_random_faults_leave_no_anomaly(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    number, minutes, seed = (pytestconfig.getoption(name) for name in ("faults", "minutes", "seed"))
    with faulty_system(tmp_path, "faults") as system:
        kinds = [kind for kind in KINDS if kind.name != "full disk" or system.disk is not None]
        plan = [fault for fault in plan_faults(seed, number, kinds=kinds) if fault.at < minutes * 60]
        print(f"seed {seed}, {len(plan)} faults:", *plan, sep="\n")  # noqa: T201 - the plan is repeatable by it
        result = asyncio.run(run_under_faults(system, plan, print, pause=0.1))
    print(result)  # noqa: T201 - figures
    assert result.anomalies.none, str(result)
    assert result.faults.total() == len(plan)
    assert len(result.accepted) > len(plan)
