"""All shared I/O: Kafka in and out, the database, timers, health, logging, the clock, sealing.

This page is the interface that services write against; each name is imported from the module that the heading names.

``app.Service`` — one process::

    service = Service("sla", settings, migrations="services.sla.migrations")   # settings: a RuntimeSettings or a subclass
    service.clock; service.database; service.sealing; service.watermark        # ready to hand to use cases
    service.subscribe([topics.TRIAGE_EVENTS, topics.CASE_ACTIONS], group="sla", handler=handle, verify=check_signature)
    service.timers(lock=lock_cases, fire=fire)
    service.router(api_router)                     # a FastAPI router, beside /live, /ready and /metrics
    service.background("deliveries", loop)         # async def loop(stop: asyncio.Event): restarted on failure, watched
    await service.run()                            # migrate, start, serve until SIGTERM or SIGINT, stop in order
    async with service.running(): ...              # the same for tests and the demo; service.http_port is the bound port

``subscribe`` — a handler gets the new records of a batch, decoded, each partition in order, in one transaction::

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None: ...

  It never publishes (``outbox.add``), never commits, never catches infrastructure errors. It may be called again with fewer records
  (after an error the batch is halved behind savepoints until the culprit is alone), so it must keep no state outside the transaction.
  ``Received``: ``topic, partition, offset, key: str, id: UUID, type: str, at: datetime`` (header ce_time), ``recorded: datetime`` (the
  broker's timestamp in domain time: when an action from Kafka happened), ``headers: Mapping[str, str], event`` (decoded pydantic
  model), ``body: bytes, source: str, sequence: int | None, traceparent: str | None``.
  ``concerns={topic: frozenset(types)}`` passes records of other types over unread, also those newer than the service;
  ``repeated={(type, ce_by)}`` the service's own decisions, told again by another.
  A bad record: ``raise Rejected("reason without personal data")``, or any other error that is not infrastructure: the record becomes a dead
  letter and its case is parked. ``Rejected(reason, park=False)`` does not park. ``verify(received) -> None`` runs per record
  before the inbox; what it rejects is a dead letter that never parks a case and never claims an id.

``database`` — ``Database.transaction()``::

    async with service.database.transaction() as tx:
        rows = await tx.fetch("SELECT id, state FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE", ids)   # asyncpg, $n
        await tx.execute("INSERT INTO x SELECT * FROM unnest($1::text[], $2::timestamptz[])", a, b)
        await tx.copy("x", ("id", "at"), rows)                         # new rows by COPY, where none can be there already
        await tx.connection.execute(sqlalchemy_statement)              # the same transaction through SQLAlchemy
        async with tx.savepoint(): ...
        tx.after_commit(callback)

  The search path is the service's schema, so names stay unqualified. JSON columns go in as text (``$1::text[]::jsonb[]``) and come out
  decoded. ``is_infrastructure(error)`` tells an outage from a fault of the data. ``migrate(database, package)`` runs alembic
  for the revision files in that package (``services.<name>.migrations``: files ``0001_*.py`` with ``revision``, ``down_revision``,
  ``upgrade()``; no env.py needed), under an advisory lock.

``tables`` — ``runtime_tables("sla")`` returns a MetaData with schema ``sla`` that holds inbox, outbox, dead_letter, parked, waiting, timer;
  a service adds its own tables to it. ``create_runtime_tables(op, "sla")`` in the first revision creates them.
  ``queue_settings(table)`` gives a queue table of your own the autovacuum settings.

``outbox`` — ``await outbox.add(tx, messages)`` with ``contracts.Message`` objects, in the order in which they are to be read.
``parking`` — ``await parking.parked(tx, case_ids) -> set[str]``: cases that wait behind a dead letter; an HTTP action on one is refused.
``timers`` — one next-due instant a case: ``await timers.arm(tx, {case_id: (partition, due_at), other: (partition, None)})``; None disarms.
  ``lock(tx, case_ids) -> Sequence[str]``: lock the cases, ``ORDER BY id FOR UPDATE SKIP LOCKED``, and return those that were got.
  ``fire(tx, due: Sequence[Due], now: datetime) -> None``: ``Due(case_id, partition, due_at, upto)``; decide everything that is due at or
  before ``upto`` (not ``now``: only up to there has the input been read) and arm the case again. ``records.partition_of(case_id, 24)`` is
  Kafka's murmur2.
``watermark`` — ``watermark.passed(partition, instant) -> bool``; ``await watermark.wait_passed(partition, instant, timeout)``.
``clock`` — ``Clock.now()`` (domain time, UTC), ``real()``, ``to_domain(instant)``, ``to_real(instant)``; module functions ``uuid7()``,
  ``monotonic()``, ``jitter(seconds)``.
  ``JIESU_CLOCK`` = ``<domain origin>@<real origin>x<factor>``, e.g. ``2026-09-21T08:00:00+08:00@2026-11-22T10:00:00Z x 43200``.
``leases`` — ``Leases``: due rows of a delivery table, leased in one transaction, worked outside any, settled in another (notify).
``sealing`` — ``Sealing.seal(data: dict, case_id) -> str``, ``open(sealed, case_id) -> dict``, ``reseal(sealed, case_id) -> str``.
``logging`` — ``configure(settings)``, ``log = structlog.get_logger()``, ``bound(case=…, event=…, trace=…)`` context manager.
``dead_letters`` — list, show, request a replay, discard; carried out by the service that owns the letter.
``kafka`` — ``connection_options(settings)`` for any aiokafka client. ``settings`` — ``RuntimeSettings``. ``metrics`` — the machinery's.
"""

from shared.runtime.errors import Rejected

__all__ = ["Rejected"]
