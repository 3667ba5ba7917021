"""Requests of one instant that tell the same people the same kind of thing become one message."""

from tests.unit.sla.timeline import requested_messages

REMINDERS = """
reactions:
- {id: first, "on": registered, do: [{remind: officer}], clause: "1", zh: 登记, en: Record}
- {id: second, "on": registered, do: [{remind: officer}], clause: "2", zh: 答复, en: Answer}
- {id: other_person, "on": registered, do: [{remind: boss}], clause: "3", zh: 组织, en: Organise}
- {id: other_kind, "on": registered, do: [{notify: officer}], clause: "4", zh: 转告, en: Pass on}
- {id: other_channel, "on": registered, do: [{remind: officer, by: [sms]}], clause: "5", zh: 派员, en: Send}
"""


def test_equal_requests_are_merged_into_the_first_and_the_others_are_sent_alone() -> None:
    rows = {row["rule"]: row for row in requested_messages(REMINDERS, until="09 12:00")}
    assert {rule: row.get("merged_into", "") for rule, row in rows.items()} == {
        "first": "",
        "second": rows["first"]["notification"],
        "other_person": "",
        "other_kind": "",
        "other_channel": "",
    }
    assert [(item["title"], item["clause"]) for item in rows["first"]["values"]["items"]] == [("登记", "1"), ("答复", "2")]
    assert not any("items" in row["values"] for rule, row in rows.items() if rule != "first")


def test_requests_of_different_instants_stay_apart() -> None:
    text = """
clocks:
- id: c
  clause: "1"
  starts: registered
  stops: handled
  owner: officer
  due: [{within: 1h, do: [{remind: officer}]}, {within: 2h, do: [{remind: officer}]}]
"""
    assert [row.get("merged_into", "") for row in requested_messages(text, until="09 12:00")] == ["", ""]
