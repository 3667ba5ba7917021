"""Options of the long runs under faults: `make chaos ARGS="--faults 1000 --minutes 90"`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--faults", type=int, default=60, help="how many faults to inject")
    group.addoption("--minutes", type=float, default=90.0, help="bound of the run: faults that would come later are left out")
    group.addoption("--brokers", type=int, default=1, choices=(1, 3), help="three brokers have three replicas, two of which must answer")
    group.addoption("--seed", type=int, default=1, help="plan the same faults again by the same seed")
