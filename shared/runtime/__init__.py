"""The runtime: everything that a service needs besides its own use cases, storage and rules.

A service is built by its `bootstrap` module and run by `service.run_service`::

    service = Service("sla", settings, migrations="services.sla.migrations")
    service.subscribe([topics.TRIAGE_EVENTS, topics.CASE_ACTIONS], group="sla", handler=handle, verify=verify_signature)
    service.add_timers(lock_cases, fire_timers)
    service.include_router(router)

Records come in by `subscription` and are processed by `processing` in batches. A batch is one transaction of `database`: inbox, state,
`outbox`, `timers` and `dead_letters`. The relay of `outbox` sends the messages to Kafka after the commit. A timer fires only after the
watermark (`kafka`) has passed its due instant.

`process` holds settings, health, logging, metrics and supervised loops, `http` the server with authentication and problem documents,
`clock` domain time and ids, `encryption` the key ring for contact data. Each folder imports only those that pyproject.toml lists below it.
"""

from shared.runtime.errors import Rejected

__all__ = ["Rejected"]
