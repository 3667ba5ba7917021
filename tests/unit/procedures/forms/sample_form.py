"""A procedure with one form, an organisation, and a case that goes through a rejection, for the tests of forms."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.procedures.forms.field_text import FormTexts
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.procedure import LanguageCode, Procedure
from shared.procedures.organisation import Organisation

FORM: dict[str, Any] = {
    "id": "sheet",
    "zh": "处理单",
    "en": "Sheet",
    "code": "R-1",
    "copies": [{"zh": "客服", "en": "customer service"}],
    "notes": [{"zh": "不得涂改", "en": "No alteration"}],
    "sections": [
        {
            "zh": "一、投诉",
            "en": "1 Complaint",
            "fields": [
                "number",
                {"value": ["complainant.name", "complainant.enterprise"], "zh": "投诉人", "en": "Complainant"},
                {"value": "class", "show": "boxes"},
                {"value": "facts.urgent", "show": "boxes"},
                {"value": "facts.limit"},
                {"value": "text", "zh": "内容", "en": "Matter", "wide": True, "lines": 3},
                {"value": "attachments", "show": "photos"},
            ],
        },
        {
            "after": ["measures_submitted"],
            "fields": [{"value": ["measures_approved.demands", "measures_rejected.reason"], "zh": "意见", "en": "Opinion"}],
            "signatures": [
                {
                    "events": ["measures_approved", "measures_rejected", "measures_deemed_approved"],
                    "by": "chief",
                    "zh": "主管",
                    "en": "Chief",
                }
            ],
        },
        {
            "table": {
                "events": ["measures_submitted", "measures_rejected"],
                "blank_rows": 3,
                "columns": ["at", "event", "actor", {"value": ["text", "reason"], "zh": "情况", "en": "Remarks"}],
            }
        },
        {"signatures": [{"events": ["called_back"], "zh": "回访人", "en": "Called back by"}]},
    ],
}
REGISTER: dict[str, Any] = {
    "id": "register",
    "zh": "台帐",
    "en": "Register",
    "per": "month",
    "sections": [
        {"fields": ["period", "cases", "open", "closed"]},
        {"table": {"cases": True, "columns": ["number", "complainant.name", "called_back.at"], "blank_rows": 3}},
        {"table": {"count_by": "class", "zh": "级别", "en": "Class"}, "signatures": [{"zh": "制表", "en": "Drawn up by"}]},
    ],
}
_START = datetime(2026, 9, 14, 2, tzinfo=UTC)


def sample_procedure(*forms: dict[str, Any]) -> Procedure:
    """The procedure with these forms; none: FORM and REGISTER."""
    return Procedure.model_validate(
        {
            "id": "sample",
            "version": 3,
            "title": {"zh": "样例规程", "en": "Sample regulation"},
            "register": {"number": "S-{year}-{seq:05}"},
            "roles": {"desk": {"zh": "前台", "en": "Desk"}, "chief": {"zh": "主管", "en": "Chief"}},
            "facts": {"urgent": {"type": "bool", "zh": "紧急", "en": "Urgent"}, "limit": {"type": "instant", "zh": "限期", "en": "Limit"}},
            "classes": [{"id": "serious", "zh": "严重", "en": "Serious"}, {"id": "general", "zh": "一般", "en": "General"}],
            "forms": list(forms) or [FORM, REGISTER],
        }
    )


def sample_organisation() -> Organisation:
    people = [{"id": "wang", "name": "王经理", "roles": ["chief"]}, {"id": "li", "name": "李敏", "roles": ["desk"]}]
    return Organisation.model_validate({"id": "estate", "zh": "某物业", "en": "Estate", "people": people, "departments": []})


def form_of(procedure: Procedure, form_id: str = "sheet") -> FormEntry:
    return next(form for form in procedure.forms if form.id == form_id)


def sample_texts(language: LanguageCode = "zh", hidden: tuple[str, ...] = ()) -> FormTexts:
    return FormTexts(sample_procedure(), sample_organisation(), language, hidden)


def event(sequence: int, event_type: str, role: str = "", actor: str = "", **fields: Any) -> dict[str, Any]:
    at = (_START + timedelta(hours=sequence)).isoformat()
    return {"case": "case-1", "sequence": sequence, "event": event_type, "at": at, "role": role, "actor": actor, **fields}


def registered(number: str = "S-2026-00001", received_at: str = "2026-09-14T10:00:00+08:00", **complaint: Any) -> dict[str, Any]:
    fields = {"received_at": received_at, "channel": "hotline", "text": "电梯停运", "complainant": {"name": "王**"}, **complaint}
    return event(1, "registered", number=number, complaint=fields)


def sample_events() -> list[dict[str, Any]]:
    return [
        registered(attachments=["照片-1.jpg"]),
        event(2, "classified", **{"class": "serious"}, facts={"urgent": True, "limit": "2026-09-20T04:00:00Z"}),
        event(3, "measures_submitted", "desk", "li", text="第一次措施"),
        event(4, "measures_rejected", "chief", "wang", reason="重新制定"),
        event(5, "measures_submitted", "desk", "li", text="第二次措施"),
    ]
