"""What every message states of its case."""

from typing import Any

import pytest

from tests.unit.sla.timeline import requested_messages

PROCEDURE = """
facts:
  danger_to_persons: {type: bool, default: false, clause: "1"}
  danger_to_property: {type: bool, default: false, clause: "1"}
reactions:
- {id: first, "on": registered, do: [{remind: officer}], clause: "1", zh: 登记, en: Record}
"""


@pytest.mark.parametrize(
    ("facts", "danger"),
    [({}, None), ({"danger_to_persons": True}, True), ({"danger_to_property": True}, True), ({"danger_to_persons": False}, None)],
)
def test_a_request_states_a_danger_only_where_there_is_one(facts: dict[str, Any], danger: bool | None) -> None:
    [request] = requested_messages(PROCEDURE, until="09 12:00", facts=facts)
    assert request["values"].get("danger") is danger
