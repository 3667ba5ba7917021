"""What the events of a case tell on its page."""

from services.desk.pages.case.case_story import facts, linked_cases, messages, quotes

REGISTERED = {"event": "registered", "at": "a", "complaint": {"text": "吵", "facts": {"media": False, "persons": 2}}}
CLASSIFIED = {
    "event": "classified",
    "at": "b",
    "text": "",
    "facts": {"media": True},
    "found": [{"name": "media", "value": True, "words": "电视台"}, {"name": "site", "value": True, "words": "夜间施工"}],
    "evidence": ["photo"],
}
AMENDED = {"event": "amended", "at": "c", "facts": {"persons": 3}, "evidence": ["list"], "text": "更正"}


def test_facts_stand_with_their_last_value_and_its_evidence() -> None:
    found = {fact.name: (fact.value, fact.evidence, fact.event["at"]) for fact in facts([REGISTERED, CLASSIFIED, AMENDED])}
    assert found == {"media": (True, ("电视台",), "b"), "persons": (3, ("list",), "c"), "site": (True, ("夜间施工",), "b")}


def test_words_are_told_in_order_without_those_of_messages() -> None:
    message = {"event": "notification_failed", "notification": "n", "reason": "no address"}
    said = [(quote.part, quote.words) for quote in quotes([REGISTERED, CLASSIFIED, message, AMENDED])]
    assert said == [("text", "吵"), ("text", "更正")]


def test_a_delivered_message_stays_delivered_whatever_is_reported_later() -> None:
    outcome = {"notification": "n", "delivery": "d", "channel": "sms"}
    events = [
        {"event": "notification_requested", "notification": "n", "at": "a"},
        {"event": "notification_requested", "notification": "m", "at": "b"},
        *({"event": f"notification_{state}", **outcome} for state in ("sent", "delivered", "sent")),
        {"event": "notification_sent", "notification": "unknown", "delivery": "x"},
    ]
    found = messages(events)
    assert [message.event["notification"] for message in found] == ["m", "n"]
    assert [each["state"] for each in found[1].deliveries.values()] == ["delivered"]
    assert not found[0].deliveries


def test_linked_cases_have_the_last_event_that_names_them() -> None:
    events = [{"event": "linked", "to_case": "x"}, {"event": "urged", "to_case": "y"}, {"event": "unlinked", "to_case": "x"}]
    assert linked_cases(events) == {"x": "unlinked"}
