"""A request becomes deliveries with the same ids every time."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.notify.bootstrap import template_sources
from services.notify.domain.delivery_planning import PlannedDelivery, PlanningContext, plan_deliveries
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.message_templates import MessageTemplates
from services.notify.domain.quiet_hours import QuietHours
from services.notify.domain.recipients import RecipientDirectory
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.organisation import Organisation, Person

NOW = datetime(2026, 9, 24, 15, tzinfo=UTC)  # 23:00 in Shanghai
DIRECTORY = RecipientDirectory(Organisation(id="demo", people=[Person(id="li", email="li@example.com", phone="13800000001")]))
TEMPLATES = MessageTemplates(template_sources(None))
BOTH = frozenset({"sms", "email"})
ID = UUID(int=1)


def desk(channels: frozenset[str] = BOTH, quiet: QuietHours | None = None) -> PlanningContext:
    return PlanningContext(DIRECTORY, TEMPLATES, channels, quiet)


def planned(on: PlanningContext | None = None, request_id: UUID = ID, **fields: Any) -> list[PlannedDelivery]:
    given = {"recipients": ["supervisor"], "persons": ["li"], "by": ["sms", "email"], "about": "reminded", "values": {"number": "TS-1"}}
    request = NotificationRequested(case="c1", at=NOW, **(given | fields))
    return plan_deliveries(request, request_id, on or desk(), NOW)


def test_one_delivery_per_person_and_channel() -> None:
    sms, email = planned()
    assert (sms.channel, sms.address, sms.subject, sms.template) == ("sms", "+8613800000001", "", "reminded.zh.sms")
    assert (email.channel, email.address, email.subject) == ("email", "li@example.com", "催办：投诉单 TS-1")
    assert "TS-1" in sms.text


def test_ids_depend_on_case_notification_recipient_and_channel_alone() -> None:
    first, again = planned(notification="n1"), planned(notification="n1", request_id=UUID(int=2), values={"number": "TS-2"})
    assert [d.id for d in first] == [d.id for d in again]
    assert not {d.id for d in first} & {d.id for d in planned(notification="n2")}
    assert not {d.id for d in planned()} & {d.id for d in planned(request_id=UUID(int=2))}


def test_a_channel_without_provider_fails_at_once() -> None:
    sms, email = planned(desk(frozenset({"email"})))
    assert (sms.reason, sms.address, sms.text) == (FailureReason.NO_PROVIDER, "", "")
    assert email.reason is None


def test_a_text_that_cannot_be_made_fails_at_once() -> None:
    [delivery] = planned(by=["sms"], values={"number": "TS-1", "due_at": "soon"})
    assert (delivery.reason, delivery.address) == (FailureReason.TEMPLATE, "")


def test_unset_values_count_as_absent() -> None:
    [delivery] = planned(by=["sms"], values={"number": None, "due_at": None})
    assert delivery.reason is None
    assert "c1" in delivery.text


def test_quiet_hours_hold_the_text_message_and_not_the_mail() -> None:
    night = desk(quiet=QuietHours(time(22), time(8), ZoneInfo("Asia/Shanghai")))
    sms, email = planned(night)
    assert sms.due_at == datetime(2026, 9, 25, 0, tzinfo=UTC)
    assert email.due_at == NOW
    assert planned(night, urgent=True)[0].due_at == NOW


def test_the_complainant_does_not_read_what_staff_read() -> None:
    def template(**fields: Any) -> str:
        request = NotificationRequested(case="c1", at=NOW, recipients=["complainant"], by=["sms"], about="clock_breached", **fields)
        return plan_deliveries(request, ID, desk(), NOW, {"phone": "13900000000"})[0].template

    assert template() == template(template="clock_breached") == "complainant.zh.sms"
    assert template(template="escalated") == "escalated.zh.sms", "a procedure that names another text gets it"
