"""Submits complaints by HTTP."""

import itertools
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict

from jiesu_client.http_retries import DEFAULT_RETRIES, HttpClient, Retries
from jiesu_client.problems import JiesuError, RequestRefusedError, UnavailableError, json_document, problem
from shared.contracts.complaint import Submission

MAX_ITEMS = 1000
MAX_BYTES = 4_000_000
"""Of one batch: half of what a service takes by default."""


class Registration(BaseModel):
    """A complaint that is registered and durable; `missing` and `unreadable` name fields to send or to correct."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Literal["registered", "duplicate", "supplement"]
    case: str
    number: str
    missing: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    follow_code: str = ""


SubmissionResult = Registration | RequestRefusedError


class BatchFailedError(JiesuError):
    """A batch of `submit_many` was refused or got no answer: `__cause__` is that error.

    `results` are those of the batches before it; with them and `idempotency_key` the call can be continued.
    """

    def __init__(self, idempotency_key: str, results: Sequence[SubmissionResult], reason: JiesuError) -> None:
        self.idempotency_key = idempotency_key
        self.results = tuple(results)
        super().__init__(f"{len(self.results)} results, then a batch failed: {reason}")


class IntakeClient(HttpClient):
    """Submits the complaints of one source; `key` is its API key, `options` are those of `httpx.AsyncClient` (`verify`, `timeout`, …).

    Every request may be made again: a complaint is registered once under its `external_id`, or under the key of the call.
    """

    def __init__(self, base_url: str, key: str, retries: Retries = DEFAULT_RETRIES, **options: Any) -> None:
        super().__init__(base_url, key, retries, options)

    async def submit(self, submission: Submission | Mapping[str, Any], idempotency_key: str = "") -> Registration:
        """Register one complaint; raises `RequestRefusedError` if it is refused, `UnavailableError` if intake cannot be reached.

        Without `external_id`, give an `idempotency_key` of your own if the call may be repeated after the program has ended.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        document = await self._json("POST", "/v1/complaints", content=_encoded(submission), headers=_json_headers(headers))
        return Registration.model_validate(document)

    async def submit_many(
        self, submissions: Iterable[Submission | Mapping[str, Any]], idempotency_key: str = "", results: Sequence[SubmissionResult] = ()
    ) -> list[SubmissionResult]:
        """Register any number of complaints in batches; one result each, in order. A refused one does not hold up the others.

        Raises `BatchFailedError` if a batch is refused or intake cannot be reached. The same call with the error's `idempotency_key` and
        `results` continues behind the batches that are registered.
        """
        collected = list(results)
        key = idempotency_key or str(uuid.uuid4())
        for batch in _batches(map(_encoded, itertools.islice(submissions, len(collected), None))):
            body = b'{"complaints":[' + b",".join(batch) + b"]}"
            # By its first complaint: a continued call gives the batch that failed the same key, under which it is registered once.
            headers = _json_headers({"Idempotency-Key": f"{key}/{len(collected)}"})
            try:
                response = await self._request("POST", "/v1/complaints:batch", content=body, headers=headers)
                collected += _results(response, len(batch))
            except (RequestRefusedError, UnavailableError) as error:
                raise BatchFailedError(key, collected, error) from error
        return collected

    async def registration(self, case: str) -> dict[str, Any]:
        """A complaint of the source as it was registered, without contact data."""
        document: dict[str, Any] = await self._json("GET", f"/v1/complaints/{quote(case, safe='')}")
        return document


def _results(response: httpx.Response, number: int) -> list[SubmissionResult]:
    document = json_document(response)
    items = document.get("results")
    if not isinstance(items, list) or len(items) != number:
        raise problem(response)
    return [
        RequestRefusedError(item["problem"]["status"], item["problem"])
        if item["status"] == "refused"
        else Registration.model_validate(item)
        for item in items
    ]


def _encoded(submission: Submission | Mapping[str, Any]) -> bytes:
    # A mapping is sent as it is: intake keeps a complaint with a faulty optional field, and names the field in its answer.
    if isinstance(submission, Submission):
        return submission.model_dump_json(exclude_unset=True, by_alias=True).encode()
    return httpx.Request("POST", "http://_", json=dict(submission)).content


def _batches(items: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    batch: list[bytes] = []
    for item in items:
        if batch and (len(batch) == MAX_ITEMS or sum(map(len, batch)) + len(item) > MAX_BYTES):
            yield batch
            batch = []
        batch.append(item)
    yield from itertools.repeat(batch, 1 if batch else 0)


def _json_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json", **headers}
