"""Fills a demo system by HTTP: complaints of the last weeks, and what people have done about some of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import yaml

_DEMO = Path(__file__).parents[1] / "demo"
_COMPLAINTS, _HOURS_APART = 40, 15
_SOURCES = {"property": "property-hotline", "homes": "homes-service", "telecom": "telecom-hotline"}
_DONE: dict[str, list[tuple[str, str, str, dict[str, Any]]]] = {
    "property": [
        ("luo-dan", "assistant", "answer", {"text": "已收到，维修人员今天上门。"}),
        ("luo-dan", "assistant", "assign", {"person": "guo-qiang"}),
    ],
    "homes": [("ye-qing", "customer_service", "report", {"text": "已向分管领导汇报。"})],
    "telecom": [
        ("bai-lu", "customer_service", "answer", {"text": "已核实，处理结果已答复。"}),
        ("bai-lu", "customer_service", "handle", {}),
        ("bai-lu", "customer_service", "close", {}),
    ],
}
"""Kind of complaint → who takes which action in which role."""
_WAIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class PicturedCase:
    """The case that the pictures show, its caller, and the code of the complainant's page."""

    id: str
    phone: str
    follow_code: str


def fill(addresses: Mapping[str, str]) -> PicturedCase:
    """Submit the complaints, act on every second one, and return the latest about a lift; raises for a refusal."""
    texts = yaml.safe_load((_DEMO / "complaints.yaml").read_text(encoding="utf-8"))
    secrets = yaml.safe_load((_DEMO / "secrets.yaml").read_text(encoding="utf-8"))
    now = datetime.now(UTC)  # noqa: TID251 - deploy imports nothing of the product
    with httpx.Client(timeout=30) as http:
        submitted = [(kind, _submit(http, addresses, secrets, kind, body)["case"]) for kind, body in _complaints(texts, now)]
        for kind, case in submitted[::2]:
            _act(http, f"{addresses['sla']}/v1/cases/{case}/actions", secrets["people"], kind)
        body = _body(texts, 0, "云杉苑3单元电梯停运，老人下不了楼", now - timedelta(minutes=20))
        answer = _submit(http, addresses, secrets, "property", body)
        _act(http, f"{addresses['sla']}/v1/cases/{answer['case']}/actions", secrets["people"], "property")
    return PicturedCase(answer["case"], body["complainant"]["phone"], answer["follow_code"])


def _complaints(texts: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(_COMPLAINTS):
        kind = ("property", "homes", "property", "telecom")[number % 4]
        entry = texts[kind][number // 2 % len(texts[kind])]
        text = entry["text"].format(place=texts["places"][number % len(texts["places"])], room=f"{number % 9 + 1}0{number % 4 + 1}")
        yield kind, _body(texts, number, text, now - timedelta(hours=_HOURS_APART * (_COMPLAINTS - number)))


def _body(texts: Mapping[str, Any], number: int, text: str, received_at: datetime) -> dict[str, Any]:
    complainant = {"name": texts["names"][number % len(texts["names"])], "phone": f"139000{number:05}"}
    return {
        "external_id": f"call-{number}-{received_at:%d%H%M}",
        "received_at": received_at.isoformat(),
        "channel": "hotline",
        "text": text,
        "complainant": complainant,
    }


def _submit(
    http: httpx.Client, addresses: Mapping[str, str], secrets: Mapping[str, Any], kind: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {secrets['sources'][_SOURCES[kind]]['api_key']}"}
    answer = http.post(f"{addresses['intake']}/v1/complaints", json=body, headers=headers).raise_for_status()
    registered: dict[str, Any] = answer.json()
    return registered


def _act(http: httpx.Client, address: str, people: Mapping[str, Any], kind: str) -> None:
    for person, role, action, data in _DONE[kind]:
        headers = {"Authorization": f"Bearer {people[person]['token']}"}
        deadline = time.monotonic() + _WAIT_SECONDS
        answer = http.post(address, json={"action": action, "role": role, "data": data}, headers=headers)
        # The case is on its way from intake to sla.
        while answer.status_code == HTTPStatus.NOT_FOUND and time.monotonic() < deadline:
            time.sleep(0.2)
            answer = http.post(address, json={"action": action, "role": role, "data": data}, headers=headers)
        # A regulation may refuse a step: the case then shows the refusal.
        if answer.status_code != HTTPStatus.CONFLICT:
            answer.raise_for_status()
