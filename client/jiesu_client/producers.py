"""Submits complaints and acts on cases by Kafka, signed."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from pydantic import JsonValue

from jiesu_client.signatures import SigningKey
from shared.contracts.actions import Action, ActionData
from shared.contracts.complaint import Submission
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS

_BATCH = 500


class _SignedProducer:
    """A producer that has every record acknowledged by all replicas; use it as a context manager.

    `options` are those of aiokafka's producer: `security_protocol`, `ssl_context`, `sasl_mechanism`, ….
    """

    def __init__(self, bootstrap_servers: str, source: str, key: SigningKey | None, topic_prefix: str = "", **options: Any) -> None:
        self._source = source
        self._key = key
        self._topic_prefix = topic_prefix
        # aiokafka's own partitioner is murmur2, as the platform requires it; idempotence keeps the order of a case.
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, **options)

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self._producer.stop()

    async def _send_all(self, records: Iterable[CloudEventRecord]) -> None:
        """Return when every record is acknowledged."""
        sent = []
        for record in records:
            topic, key = f"{self._topic_prefix}{record.topic}", record.key.encode()
            sent.append(await self._producer.send(topic, record.body, key=key, headers=record.kafka_headers()))
            if len(sent) == _BATCH:
                for acknowledged in sent:
                    await acknowledged
                sent = []
        for acknowledged in sent:
            await acknowledged

    def _record(self, topic: str, key: str, event_id: str, kind: str, body: bytes) -> CloudEventRecord:
        # Signed under the topic's own name: a prefix belongs to an installation, not to the contract.
        signature = self._key.sign(topic, key, event_id, body) if self._key else ""
        return CloudEventRecord(
            topic=topic,
            key=key,
            id=event_id,
            type=kind,
            at=datetime.now(UTC),
            body=body,
            source=self._source,
            key_id=self._key.id if self._key else "",
            signature=signature,
        )


class SubmissionProducer(_SignedProducer):
    """Submits the complaints of one source as records; `key` is needed where the source has public keys in the organisation file."""

    async def submit(self, submission: Submission) -> None:
        """Return when the broker has the complaint; sent again, it is the same one. What becomes of it is on `complaint-events`."""
        await self.submit_many([submission])

    async def submit_many(self, submissions: Iterable[Submission]) -> None:
        """Submit any number of complaints, each with an `external_id`: raises `ValueError` for the first without one."""
        await self._send_all(map(self._submission_record, submissions))

    def _submission_record(self, submission: Submission) -> CloudEventRecord:
        if submission.external_id is None:
            raise ValueError("external_id is missing: give your own reference, so that a complaint that is sent again is the same one")
        event_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._source}/{submission.external_id}"))
        body = submission.model_dump_json(exclude_unset=True, by_alias=True).encode()
        return self._record(COMPLAINT_SUBMISSIONS.name, submission.external_id, event_id, "submission", body)


class ActionProducer(_SignedProducer):
    """Acts for one person or source as records; the outcome is the event that the action causes, or `action_refused`."""

    async def act(
        self, case: str, action: str, data: ActionData | Mapping[str, JsonValue] | None = None, role: str = "", action_id: str = ""
    ) -> str:
        """Return the action's id when the broker has it; the same `action_id` again is the same action.

        Raises pydantic's `ValidationError` for data that the contract does not have.
        """
        sent = data if isinstance(data, ActionData) else ActionData.model_validate(data or {})
        request = Action(case=case, action=action, role=role, data=sent)
        event_id = action_id or str(uuid.uuid4())
        body = request.model_dump_json(exclude_unset=True, by_alias=True).encode()
        await self._send_all([self._record(CASE_ACTIONS.name, case, event_id, "action", body)])
        return event_id
