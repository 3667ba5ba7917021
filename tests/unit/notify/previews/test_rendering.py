"""Previews of messages: one text for each channel and language, with nothing that the reader may not see."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.notify.bootstrap import template_sources
from services.notify.domain.delivery_planning import FollowLinks, PlanningContext, plan_deliveries
from services.notify.domain.message_templates import MessageTemplates
from services.notify.domain.message_values import MessageTexts
from services.notify.domain.recipients import RecipientDirectory
from services.notify.previews.rendering import MASKED_CODE, PreviewedMessage, PreviewMessages
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.follow_codes import follow_code, follow_key
from shared.procedures.organisation import Organisation, Person

NOW = datetime(2026, 9, 24, tzinfo=UTC)
PEOPLE = [
    Person(id="li", name="李雷", email="li@example.com", phone="13800000001"),
    Person(id="wu", name="吴六", email="wu@example.com", phone="13800000550", language="en"),
    Person(id="he", name="何七"),
]
KEY = follow_key("a secret of thirty-two characters")
ORGANISATION = Organisation(id="demo", people=PEOPLE)
CONTEXT = PlanningContext(
    RecipientDirectory(ORGANISATION),
    MessageTemplates(template_sources(None)),
    frozenset({"sms", "email"}),
    MessageTexts(ORGANISATION),
    follow=FollowLinks(KEY, "https://complaints.example.org/f"),
)
VALUES = {"number": "TS-1", "matter": "电梯停运"}


def request(**fields: Any) -> NotificationRequested:
    defaults = {"recipients": ["supervisor"], "persons": ["li"], "by": ["sms"], "about": "reminded", "values": VALUES}
    return NotificationRequested(**({"case": "c1", "at": NOW} | defaults | fields))


def previews(**fields: Any) -> list[PreviewedMessage]:
    return PreviewMessages(CONTEXT).render(request(**fields))


def test_preview_has_the_words_that_are_sent() -> None:
    asked = request(persons=["li"], by=["sms", "email"])
    sent = {each.channel: (each.subject, each.text) for each in plan_deliveries(asked, UUID(int=1), CONTEXT, NOW)}
    shown = {each.channel: (each.words.subject, each.words.text) for each in PreviewMessages(CONTEXT).render(asked)}
    assert shown == sent
    assert all(text for _, text in shown.values())


def test_recipients_of_a_language_share_a_preview_whether_or_not_they_have_an_address() -> None:
    shown = [(each.language, each.recipients) for each in previews(persons=["li", "wu", "he"])]
    assert shown == [("zh", ("li", "he")), ("en", ("wu",))]


def test_code_of_the_complainant_is_masked() -> None:
    [shown] = previews(recipients=["complainant"], persons=[], by=["email"], about="registered")
    assert shown.recipients == ("complainant",)
    assert f"https://complaints.example.org/f/{MASKED_CODE}" in shown.words.text
    assert follow_code(KEY, "c1") not in shown.words.text


def test_phone_of_a_person_is_masked_whomever_the_request_names_as_the_contact() -> None:
    [shown] = previews(recipients=["complainant"], persons=[], about="registered", values={**VALUES, "contact_person": "wu"})
    assert "吴六" in shown.words.text
    assert "****0550" in shown.words.text
    assert "13800000550" not in shown.words.text


def test_matter_that_is_hidden_from_the_reader_is_marked() -> None:
    [zh, en] = previews(persons=["li", "wu"], values={"number": "TS-1"})
    assert "（保密）" in zh.words.text
    assert "(confidential)" in en.words.text


def test_hidden_matter_of_a_merged_request_is_not_that_of_the_whole_message() -> None:
    items = [{"number": "TS-1", "about": "reminded", "title": "first", "clause": "3.6"}]
    [shown] = previews(values={"number": "TS-1", "items": items})
    assert "电梯" not in shown.words.text


def test_request_that_another_message_includes_has_no_words() -> None:
    assert previews(merged_into="another") == []


def test_template_that_cannot_be_rendered_leaves_the_words_empty() -> None:
    [shown] = previews(values={**VALUES, "due_at": "soon"})
    assert (shown.words.subject, shown.words.text) == ("", "")
