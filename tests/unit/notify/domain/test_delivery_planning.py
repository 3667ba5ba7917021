"""The deliveries of a request: ids, templates, reasons, instants."""

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.notify.bootstrap import template_sources
from services.notify.domain.delivery_planning import FollowLinks, PlannedDelivery, PlanningContext, plan_deliveries
from services.notify.domain.digests.pacing import DigestPolicy
from services.notify.domain.digests.policies import DigestPolicies
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.message_templates import MessageTemplates
from services.notify.domain.message_values import MessageTexts
from services.notify.domain.quiet_hours import QuietHours
from services.notify.domain.recipients import RecipientDirectory
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.follow_codes import follow_code, follow_key
from shared.procedures.organisation import Organisation, Person

NOW = datetime(2026, 9, 24, 15, tzinfo=UTC)  # 23:00 in Shanghai
DIRECTORY = RecipientDirectory(Organisation(id="demo", people=[Person(id="li", email="li@example.com", phone="13800000001")]))
TEMPLATES = MessageTemplates(template_sources(None))
BOTH = frozenset({"sms", "email"})
ID = UUID(int=1)


def planning_context(channels: frozenset[str] = BOTH, quiet_hours: QuietHours | None = None) -> PlanningContext:
    return PlanningContext(DIRECTORY, TEMPLATES, channels, MessageTexts(DIRECTORY.organisation), quiet_hours)


def plan(context: PlanningContext | None = None, request_id: UUID = ID, **fields: Any) -> list[PlannedDelivery]:
    defaults = {"recipients": ["supervisor"], "persons": ["li"], "by": ["sms", "email"], "about": "reminded", "values": {"number": "TS-1"}}
    request = NotificationRequested(**({"case": "c1", "at": NOW} | defaults | fields))
    return plan_deliveries(request, request_id, context or planning_context(), NOW)


def test_request_has_one_delivery_per_person_and_channel() -> None:
    sms, email = plan()
    assert (sms.channel, sms.address, sms.subject, sms.template) == ("sms", "+8613800000001", "", "reminded.zh.sms")
    assert (email.channel, email.address, email.subject) == ("email", "li@example.com", "待办：投诉单 TS-1")
    assert "TS-1" in sms.text


def test_delivery_id_depends_on_case_notification_recipient_and_channel_only() -> None:
    first, repeated = plan(notification="n1"), plan(notification="n1", request_id=UUID(int=2), values={"number": "TS-2"})
    assert [delivery.id for delivery in first] == [delivery.id for delivery in repeated]
    assert not {delivery.id for delivery in first} & {delivery.id for delivery in plan(notification="n2")}
    assert not {delivery.id for delivery in plan()} & {delivery.id for delivery in plan(request_id=UUID(int=2))}


def test_channel_without_provider_fails_at_once() -> None:
    sms, email = plan(planning_context(frozenset({"email"})))
    assert (sms.reason, sms.address, sms.text) == (FailureReason.NO_PROVIDER, "", "")
    assert email.reason is None


def test_template_that_cannot_be_rendered_fails_at_once() -> None:
    [delivery] = plan(by=["sms"], values={"number": "TS-1", "due_at": "soon"})
    assert (delivery.reason, delivery.address) == (FailureReason.TEMPLATE, "")


def test_null_values_count_as_absent() -> None:
    [delivery] = plan(by=["sms"], values={"number": None, "due_at": None})
    assert delivery.reason is None
    assert "c1" in delivery.text


def test_quiet_hours_delay_text_messages_but_neither_mail_nor_urgent_ones() -> None:
    night = planning_context(quiet_hours=QuietHours(time(22), time(8), ZoneInfo("Asia/Shanghai")))
    sms, email = plan(night)
    assert sms.due_at == datetime(2026, 9, 25, 0, tzinfo=UTC)
    assert email.due_at == NOW
    assert plan(night, urgent=True)[0].due_at == NOW


def test_complainant_gets_the_text_for_staff_only_if_the_procedure_names_it() -> None:
    def template_of(**fields: Any) -> str:
        request = NotificationRequested(case="c1", at=NOW, recipients=["complainant"], by=["sms"], about="clock_breached", **fields)
        return plan_deliveries(request, ID, planning_context(), NOW, {"phone": "13900000000"})[0].template

    assert template_of() == template_of(template="clock_breached") == "complainant.zh.sms"
    assert template_of(template="escalated") == "escalated.zh.sms"


def test_the_code_of_a_case_reaches_its_complainant_alone() -> None:
    """With it one acts as the complainant, and every member of staff would have it."""
    follow = FollowLinks(follow_key("a secret of the tests"), "https://complaints.example.org/f/")
    context = replace(planning_context(), follow=follow)
    code = follow_code(follow.key, "c1")
    values = {"number": "TS-1", "wording": "{number}[ {follow_link}][ {follow_code}]", "wording_en": "x"}
    fields = {"recipients": ["complainant", "supervisor"], "about": "handled", "values": values}
    request = NotificationRequested.model_validate({"case": "c1", "at": NOW, "persons": ["li"], "by": ["email"], **fields})
    sent = {delivery.recipient: delivery.text for delivery in plan_deliveries(request, ID, context, NOW, {"email": "wang@example.com"})}
    assert f"https://complaints.example.org/f/{code}" in sent["complainant"]
    assert code not in sent["li"]
    unset = plan_deliveries(request, ID, planning_context(), NOW, {"email": "wang@example.com"})
    assert all("查询码" not in delivery.text for delivery in unset)


def test_template_that_does_not_exist_fails_and_is_not_replaced() -> None:
    [unknown] = plan(by=["sms"], template="no_such_text")
    assert (unknown.template, unknown.reason, unknown.text) == ("", FailureReason.TEMPLATE, "")
    assert plan(by=["sms"], about="no_such_event")[0].reason is FailureReason.TEMPLATE


def test_event_without_a_template_of_its_own_is_a_notice_with_the_title_of_the_entry() -> None:
    [delivery] = plan(by=["sms"], template="amended", about="amended", values={"number": "TS-1", "title": "重大问题立即汇报"})
    assert delivery.template == "notice.zh.sms"
    assert "重大问题立即汇报" in delivery.text


def test_danger_passes_the_quiet_hours_and_counts_as_urgent() -> None:
    night = planning_context(quiet_hours=QuietHours(time(22), time(8), ZoneInfo("Asia/Shanghai")))
    [sms] = plan(night, by=["sms"], values={"number": "TS-1", "danger": True})
    assert (sms.due_at, sms.urgent) == (NOW, True)
    assert plan(night, by=["sms"])[0].urgent is False


def test_reports_texts_named_by_a_procedure_and_complainants_are_never_collected() -> None:
    context = replace(planning_context(), digests=DigestPolicies(DigestPolicy()))
    collected = plan(context)
    assert [delivery.policy for delivery in collected] == [DigestPolicy()] * 2
    assert {delivery.digest_template for delivery in collected} == {"digest.zh.sms", "digest.zh.email"}
    several: tuple[dict[str, Any], ...] = ({"template": "escalated"}, {"case": "duty:shop:weekly", "about": "duty_report"})
    for fields in several:
        assert {delivery.policy for delivery in plan(context, **fields)} == {None}
    [call] = plan(replace(context, channels=frozenset({"voice"})), by=["voice"])
    assert (call.policy, call.reason) == (None, None)
    request = NotificationRequested(case="c1", at=NOW, recipients=["complainant"], by=["sms"], about="closed")
    [told] = plan_deliveries(request, ID, context, NOW, {"phone": "13900000000"})
    assert (told.policy, told.thing, told.reason) == (None, None, None)
