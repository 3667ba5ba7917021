"""A gauge exports no value that is old, and labels are bounded."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from shared.runtime.process import measured_gauge
from shared.runtime.process.measured_gauge import VALID_SECONDS, MeasuredGauge, SharedGauge, Tenure, bounded


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def exported(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_a_gauge_has_no_value_before_its_first_measurement(registry: CollectorRegistry) -> None:
    gauge = MeasuredGauge("depth", "Depth", registry=registry)
    assert exported(registry) == []
    gauge.set(0)
    assert exported(registry) == ["depth 0.0"]


def test_a_value_ends_when_it_is_not_measured_again(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(measured_gauge, "monotonic", lambda: now[0])
    plain, labelled = MeasuredGauge("depth", "Depth", registry=registry), MeasuredGauge("open", "Open", ["class"], registry=registry)
    plain.set(3)
    labelled.replace({("a",): 1})
    now[0] += VALID_SECONDS
    assert exported(registry) == ["depth 3.0", 'open{class="a"} 1.0']
    now[0] += 1
    assert exported(registry) == []
    plain.set(4)
    assert exported(registry) == ["depth 4.0"]


def test_a_measurement_replaces_all_values_of_the_one_before(registry: CollectorRegistry) -> None:
    gauge = MeasuredGauge("open", "Open", ["class"], registry=registry)
    gauge.replace({("a",): 1, ("b",): 2})
    gauge.replace({("b",): 3})
    assert exported(registry) == ['open{class="b"} 3.0']
    gauge.expire()
    assert exported(registry) == []
    assert [metric.name for metric in gauge.describe()] == ["open"]


def test_a_measurement_without_a_value_stays_without_one_when_it_is_held(registry: CollectorRegistry) -> None:
    gauge = SharedGauge("share", "Share", registry=registry)
    for value in (None, 0.5, None):
        if value is None:
            gauge.set_no_value()
        else:
            gauge.set(value)
        gauge.hold(Tenure(float("inf")), VALID_SECONDS)
        assert exported(registry) == ([] if value is None else [f"share {value}"])


def test_label_values_outside_the_list_are_other() -> None:
    assert [bounded(name, {"repairs", "gardens"}) for name in ("repairs", "", "x" * 100)] == ["repairs", "other", "other"]
