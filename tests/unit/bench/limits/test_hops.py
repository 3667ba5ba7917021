"""Each hop sends what the real service sent, once a complaint."""

from pathlib import Path

from tests.bench.limits.hops import HOPS, RecordShape, RecordTemplate

SHAPE = RecordShape(
    [
        RecordTemplate("complaint-events", "registered", {"case": "c"}),
        RecordTemplate("triage-events", "classified", {"case": "c"}),
        RecordTemplate("triage-events", "routed", {"case": "c"}),
        RecordTemplate("case-events", "registered", {"case": "c"}),
        RecordTemplate("case-events", "notification_requested", {"case": "c"}),
        RecordTemplate("department-bench", "routed", {"case": "c"}),
    ]
)


def test_records_of_a_hop_are_those_of_its_topics_in_order() -> None:
    assert [template.type for template in SHAPE.sent_by(HOPS["sla"])] == ["registered", "notification_requested", "routed"]


def test_records_of_a_hop_follow_from_the_first_input_that_it_processes() -> None:
    causes = {name: SHAPE.cause(hop) for name, hop in HOPS.items()}
    assert causes == {"intake": "submission", "triage": "registered", "sla": "classified", "notify": "notification_requested"}


def test_shape_is_read_as_it_was_written(tmp_path: Path) -> None:
    SHAPE.write(tmp_path / "shape.json")
    assert RecordShape.read(tmp_path / "shape.json").describe() == SHAPE.describe()
