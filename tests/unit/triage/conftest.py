"""A procedure with every kind of triage entry, and complaints registered under it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.triage.domain.classifier.text_model import TextModel
from services.triage.domain.compiled_rules import TriageRules, compile_rules
from services.triage.domain.rule_scope import TriageContext
from services.triage.training.history import HistoryRow, read_history
from services.triage.training.trainer import TrainedModel, train
from shared.contracts.complaint import Complaint
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from tests.support.messaging.sample_organisation import sample_complaint
from tests.support.scenarios.triage_history import rows

START = datetime(2026, 9, 24, 8, 40, tzinfo=UTC)
MakeRules = Callable[..., TriageRules]
MakeComplaint = Callable[..., Complaint]

PROCEDURE: dict[str, Any] = {
    "id": "shop",
    "version": 2,
    "title": {"zh": "投诉", "en": "Complaints"},
    "register": {"number": "S-{year}-{seq:05}"},
    "roles": ["handler"],
    "facts": {
        "media": {"type": "bool"},
        "injury": {"type": "bool"},
        "persons": {"type": "int", "default": 1},
        "policy": {"type": "text"},
        "fault_kind": {"type": "text"},
        "special_limit": {"type": "instant"},
        "second_complaint": {"type": "bool"},
    },
    "derived": [
        {"id": "hurt", "set": {"injury": True}, "when": "complaint.text.contains('受伤')"},
        {"id": "crowd", "set": {"persons": 5, "media": True}, "when": "complaint.text.contains('聚集')"},
    ],
    "kinds": [{"id": "demand", "when": "complaint.text.contains('建议')"}],
    "classes": [
        {"id": "grave", "rule": "injury", "when": "facts.injury", "clause": ["7.1", "7.2"]},
        {"id": "grave", "rule": "crowd", "when": "facts.persons >= 5 || facts.media", "clause": "7.3"},
        {"id": "middle", "when": "facts.second_complaint || complaint.channel_family == 'official'", "clause": "7.4"},
        {"id": "light", "clause": "7.5"},
    ],
    "subjects": [
        {"id": "lift", "words": ["电梯"], "department": "engineering"},
        {"id": "fee", "words": ["收费", "物业费"]},
        {"id": "vip", "when": "facts.persons > 3"},
    ],
    "routes": [{"id": "to_finance", "when": "case.subject == 'fee'", "department": "finance", "cooperating": ["service"], "clause": "8"}],
}


@pytest.fixture
def context() -> TriageContext:
    return TriageContext(START + timedelta(minutes=5), ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def organisation() -> Organisation:
    return Organisation.model_validate({"id": "o", "departments": [{"id": d} for d in ("engineering", "finance", "service", "unassigned")]})


@pytest.fixture
def rules(organisation: Organisation) -> MakeRules:
    """Compile the rules of the procedure with changed sections, for `other_organisation` or the usual one."""

    def make(*, other_organisation: Organisation | None = None, **sections: Any) -> TriageRules:
        return compile_rules(bind_parameters(Procedure.model_validate(PROCEDURE | sections)), other_organisation or organisation)

    return make


@pytest.fixture
def complaint() -> MakeComplaint:
    def make(case: str = "c1", minutes: float = 0, **fields: Any) -> Complaint:
        return sample_complaint(case, START + timedelta(minutes=minutes), **({"text": "你好"} | fields))

    return make


@pytest.fixture(scope="session")
def context_at() -> Callable[[datetime], TriageContext]:
    """The context of a decision at an instant, in the calendar's zone."""
    return lambda at: TriageContext(at, ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> list[HistoryRow]:
    """The small history, as it is read from a file."""
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows()), encoding="utf-8")
    return read_history(path)


@pytest.fixture(scope="session")
def trained(history: list[HistoryRow]) -> TrainedModel:
    """A model of subject and department."""
    return train(history)


@pytest.fixture(scope="session")
def model(trained: TrainedModel) -> TextModel:
    return trained.model
