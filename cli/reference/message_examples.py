"""Makes an example message of each type with every field filled, for the documentation and the compatibility tests."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from shared.contracts.base import Instant

_AT = "2026-09-24T16:40:00+08:00"
_VALUES: dict[str, Any] = {
    "case": "0199c1c2-7c2e-7a41-9d3b-5f0a7c1d2e3f",
    "to_case": "0199c1c2-7c2e-7a41-9d3b-5f0a7c1d2e40",
    "members": ["0199c1c2-7c2e-7a41-9d3b-5f0a7c1d2e3f", "0199c1c2-7c2e-7a41-9d3b-5f0a7c1d2e40"],
    "recorded_at": "2026-09-24T16:40:01+08:00",
    "due_at": "2026-09-25T00:00:00+08:00",
    "from_at": "2026-09-24T18:00:00+08:00",
    "next_date": "2026-09-27T18:00:00+08:00",
    "sequence": 3,
    "procedure": "hunan-property",
    "version": 1,
    "rule": "same_day_dispatch",
    "clause": "3.5.1",
    "clauses": ["3.5.1"],
    "role": "supervisor",
    "actor": "li",
    "number": "TS-2026-00017",
    "source": "hotline-centre",
    "external_id": "HC-88213",
    "channel": "hotline",
    "title": "电梯停运",
    "text": "3号楼电梯停运，老人无法下楼。",
    "object": "3号楼1单元电梯",
    "demand": "请当天修复。",
    "place": "3号楼",
    "product": "电梯",
    "against": ["工程部"],
    "facts": {"facility_failure": True, "persons": 2},
    "fields": {"place": "3号楼1单元"},
    "attachments": ["s3://complaints/2026/09/24/photo-1.jpg"],
    "name": "王先生",
    "phone": "13800000000",
    "email": "wang@example.com",
    "address": "3号楼1单元502",
    "identity": "lawyer",
    "enterprise": "XX物业",
    "household": "3-1-502",
    "has": ["name", "phone"],
    "contact": "k1.c2VhbGVk",
    "missing": ["complainant.address"],
    "forms": ["handling_sheet"],
    "parameters": {"limit": "5wd"},
    "class": "valid",
    "from_class": "invalid",
    "subject": "lift",
    "evidence": ["class: facts.facility_failure = true"],
    "department": "engineering",
    "cooperating": ["customer_service"],
    "reason": "shown as an example",
    "by": ["sms", "email"],
    "extend_by": "2d",
    "clock": "same_day_dispatch",
    "round": 1,
    "recipients": ["management"],
    "persons": ["li"],
    "ladder": "up_the_line",
    "group": "batch/0199c1c2-7c2e-7a41-9d3b-5f0a7c1d2e3f",
    "count": 10,
    "key": "5G",
    "template": "breach",
    "about": "clock_breached",
    "values": {"number": "TS-2026-00017", "due_at": "2026-09-25T00:00:00+08:00"},
    "notification": "0199c1c2-7c2e-7a41-9d3b-5f0a7c1d2e41",
    "delivery": "0199c1c2-7c2e-7a41-9d3b-5f0a7c1d2e42",
    "recipient": "li",
    "figures": {"satisfaction": 0.97},
    "data": {"text": "handled"},
    "demands": "再核对一次费用。",
    "promise": "三日内答复",
    "person": "li",
    "to_role": "handler",
    "to": "quality_centre",
    "outcome": "satisfied",
    "action": "answer",
    "cause": "workmanship",
    "units": ["site-3"],
    "absentees": ["wang"],
    "amount": 1200.5,
    "notice": "停水公告",
    "caller": "li",
    "id": "5a2e7f0c9b1d4e3f8a6c7b5d4e3f2a1b",
    "late_by": 0.4,
}
_MASKED_VALUES = {"name": "王**", "phone": "138****0000"}


def example_message(model: type[BaseModel]) -> dict[str, Any]:
    """A message of the type as JSON; raises pydantic's `ValidationError` where the model refuses it."""
    example = _example_object(model)
    model.model_validate(example)
    return example


def _example_object(model: type[BaseModel]) -> dict[str, Any]:
    masked = _MASKED_VALUES if model.__name__.startswith("Masked") else {}
    fields = ((info.alias or name, info.annotation) for name, info in model.model_fields.items())
    return {name: masked.get(name) or _example_value(name, annotation) for name, annotation in fields}


def _example_value(name: str, annotation: Any) -> Any:
    type_ = _unwrap_annotation(annotation)
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return _example_object(type_)
    if type_ is Instant or str(type_).endswith("AwareDatetime"):
        return _VALUES.get(name, _AT)
    if get_origin(type_) is Literal:
        return next((value for value in get_args(type_) if value), "")
    plain = get_origin(type_) or type_
    value = _VALUES.get(name)
    # One name may have several types: `by` is a list of channels in one event and a role in another.
    if value is not None and isinstance(plain, type) and isinstance(value, plain):
        return value
    return {bool: True, int: 1, float: 0.5, list: [], dict: {}}.get(plain, f"some {name}")


def _unwrap_annotation(annotation: Any) -> Any:
    """The first branch of a union, without `Annotated`."""
    if get_origin(annotation) in (Union, types.UnionType):
        return _unwrap_annotation(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if hasattr(annotation, "__metadata__") and annotation is not Instant:
        return _unwrap_annotation(get_args(annotation)[0])
    return annotation
