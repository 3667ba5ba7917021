"""Who is notified for a role."""

from tests.unit.sla.timeline import run_steps


def test_notification_of_a_vacant_role_goes_to_the_role_above_it() -> None:
    text = '{reactions: [{id: tell, "on": registered, do: [{notify: officer, by: [sms, email]}], clause: "1"}]}'
    rows = run_steps(text, organisation={"people": [{"id": "bo", "roles": ["boss"]}], "line": {"officer": "boss"}})
    assert [(row["recipients"], row["by"]) for row in rows if row["event"] == "notification_requested"] == [(["boss"], ["sms", "email"])]


def test_notification_without_a_recipient_is_reported_and_goes_to_the_fallback() -> None:
    text = '{reactions: [{id: tell, "on": registered, do: [{notify: officer}], clause: "1"}]}'
    rows = run_steps(text, organisation={"people": [{"id": "fu"}], "fallback": "fu"})
    reported = [row for row in rows if row["event"] in ("no_recipient", "notification_requested")]
    assert [(row["event"], row["recipients"]) for row in reported] == [("no_recipient", ["fu"]), ("notification_requested", ["fallback"])]
    assert reported[1]["persons"] == ["fu"]


def test_accused_holders_of_a_role_are_not_notified() -> None:
    text = '{reactions: [{id: tell, "on": registered, do: [{notify: officer}], clause: "1"}]}'
    people = [{"id": "ou", "roles": ["officer"]}, {"id": "ai", "roles": ["officer"]}]
    rows = run_steps(text, organisation={"people": people}, against=["ou"])
    assert [row["persons"] for row in rows if row["event"] == "notification_requested"] == [["ai"]]
