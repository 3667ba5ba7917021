"""The organisation of the desk's browser tests: its people, a regulation whose cases are grouped, escalated and reviewed, and a model."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.triage.application.models.model_file import write_model
from services.triage.training.history import read_history
from services.triage.training.trainer import train
from tests.support.messaging.all_services import PROCEDURE, write_estate
from tests.support.messaging.sample_organisation import write_yaml
from tests.support.scenarios.triage_history import rows

SOURCE_KEYS = {"hotline": "the key of the source", "counter": "the key of the counter"}
DEPARTMENTS: list[dict[str, Any]] = [
    {"id": "repairs", "zh": "维修部", "en": "Repairs", "head": "zhao"},
    {"id": "gardens", "zh": "绿化部", "en": "Gardens"},
]
PEOPLE: list[dict[str, Any]] = [
    {"id": "li", "name": "李雷", "roles": ["assistant", "supervisor"], "may": ["what_if", "unmask", "find_by_phone"]},
    {"id": "zhao", "name": "赵工", "roles": ["handler"], "department": "repairs"},
    {"id": "wu", "name": "吴工", "roles": ["handler"], "department": "repairs"},
    {"id": "sun", "name": "孙总", "roles": ["management"]},
]
COUNTER: dict[str, Any] = {
    "id": "counter",
    "version": 1,
    "title": {"zh": "前台投诉", "en": "Complaints at the counter"},
    "register": {"number": "QT-{year}-{seq:05}", "required": ["text", "received_at"], "clause": "1"},
    "roles": ["assistant", "supervisor", "management", "handler"],
    "facts": {
        "danger": {"type": "bool", "default": False, "zh": "危险", "en": "Danger"},
        "contract": {"type": "text", "default": "", "zh": "合同号", "en": "Contract"},
    },
    "subjects": [{"id": subject} for subject in ("lift", "noise", "fee", "garden")],
    "review": {"below": 0.99, "clause": "2"},
    "counts": [{"id": "same_contract", "key": "facts.contract", "threshold": 2, "clause": "3", "does": {"as": "group"}}],
    "ladders": [{"id": "upward", "clause": "4", "rungs": ["supervisor", "management"], "every": "1d"}],
    "reactions": [{"id": "danger", "on": "registered", "when": "facts.danger", "do": [{"escalate": "upward"}], "clause": "4"}],
}
_DEPARTMENT_OF_HISTORY = {"engineering": "repairs", "order": "gardens", "finance": "gardens"}


def token_of(person: str) -> str:
    """The token with which the person's desk calls the services."""
    return f"token-of-{person}"


def write_desk_organisation(folder: Path) -> Path:
    """The organisation file, with the regulation of the counter beside it."""
    people = [{**person, "email": f"{person['id']}@example.org", "token_sha256": _hash(token_of(person["id"]))} for person in PEOPLE]
    write_yaml(folder / "counter.yaml", COUNTER)
    keys = {source: {"id": source, "key_sha256": [_hash(key)]} for source, key in SOURCE_KEYS.items()}
    form = {"fields": ["text", "place", "phone"], "per_minute": 600}
    sources = [
        {**keys["hotline"], "procedure": PROCEDURE, "entered_by": ["assistant"]},
        {**keys["counter"], "procedure": "counter.yaml"},
        {
            "id": "web",
            "procedure": PROCEDURE,
            "contact_phone": "400-800-0000",
            "form": form,
        },
    ]
    return write_estate(folder, people=people, departments=DEPARTMENTS, sources=sources)


def write_classifier(folder: Path) -> Path:
    """A model of the small history whose departments are those of the organisation."""
    history, model = folder / "history.jsonl", folder / "model.npz"
    lines = []
    for row in rows():
        department = _DEPARTMENT_OF_HISTORY[row["label"]["department"]]
        lines.append(json.dumps({**row, "label": {**row["label"], "department": department}}, ensure_ascii=False))
    history.write_text("\n".join(lines), encoding="utf-8")
    trained = train(read_history(history))
    write_model(model, trained.model, trained.report)
    return model


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
