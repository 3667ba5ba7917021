"""The errors of the client: what a service refused, with its reasons, and what could not be reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class RefusedField:
    """One field that is missing or wrong: the rule that it breaks, and what to send instead."""

    field: str
    rule: str
    remedy: str


class JiesuError(Exception):
    """Base class of the client's errors."""


class RequestRefusedError(JiesuError):
    """The server refused the request and will refuse it again.

    `code` is the end of the problem's `type` (RFC 9457), such as `missing`; empty if only the status states what is wrong.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(document.get("type", "")).rpartition("urn:jiesu:problem:")[2].removeprefix("about:blank")
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        self.clause = str(document.get("clause", ""))
        self.faults = tuple(
            RefusedField(str(fault.get("field", "")), str(fault.get("rule", "")), str(fault.get("remedy", "")))
            for fault in document.get("errors", ())
        )
        reasons = "; ".join(f"{fault.field}: {fault.remedy}" for fault in self.faults) or self.detail
        super().__init__(f"{status} {self.title}" + (f": {reasons}" if reasons else ""))


class UnavailableError(JiesuError):
    """The service could not be reached, or asked to wait, at every attempt: send the same again later."""


def problem(response: httpx.Response) -> RequestRefusedError:
    """The problem in an answer; a proxy's page in its place is an empty document."""
    return RequestRefusedError(response.status_code, json_document(response))


def json_document(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in an answer, empty if its body is anything else."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
