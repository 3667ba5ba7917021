"""The earlier cases of a caller, found by his exact phone number through sla, which records who asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from services.desk.application.service_client import ServiceClient, ServiceRefusedError, ServiceUnavailableError

MAX_CASES = 10
_MIN_DIGITS = 7
_NUMBER = re.compile(r"[0-9+()./ #x-]{7,40}")


@dataclass(frozen=True, slots=True)
class EarlierCases:
    """The answer to a number: `found`, `incomplete` (no whole number), `not_allowed` (the person lacks the right), `unavailable`.

    `open` may be the same matter; `ended` are his earlier ones. Rows are those of sla's list, without what the person may not see.
    """

    outcome: str
    open: list[Mapping[str, Any]] = field(default_factory=list)
    ended: list[Mapping[str, Any]] = field(default_factory=list)
    has_more: bool = False


async def find_earlier_cases(services: ServiceClient, phone: str, token: str) -> EarlierCases:
    """The cases of the number, newest first; the registration continues whatever the outcome."""
    number = unicodedata.normalize("NFKC", phone).strip()
    # A number that is still being typed is no number: asked for, each of its parts would be recorded.
    if _NUMBER.fullmatch(number) is None or sum(character.isdigit() for character in number) < _MIN_DIGITS:
        return EarlierCases("incomplete")
    try:
        answer = await services.request(
            "GET", "sla", "/v1/cases", token, params={"limit": str(MAX_CASES)}, headers={"Complainant-Phone": number}
        )
    except ServiceRefusedError as refusal:
        return EarlierCases("not_allowed" if refusal.status == HTTPStatus.FORBIDDEN else "incomplete")
    except ServiceUnavailableError:
        return EarlierCases("unavailable")
    page = answer.json()
    rows = page["cases"]
    return EarlierCases(
        "found",
        [row for row in rows if row["status"] == "open"],
        [row for row in rows if row["status"] != "open"],
        page["next_cursor"] is not None,
    )
