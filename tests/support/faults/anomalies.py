"""Names what faults did to the data: lost, doubled, unseen, reordered, phantom, early, invented and stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import orjson

from cli.reconciliation.reconciliation import Reconciliation, reconcile
from cli.service_names import SERVICES
from tests.support.faults.hostile import MARK, SOURCE, is_hostile
from tests.support.messaging.hostile_records import HOSTILE_PREFIX
from tests.support.servers.databases import asyncpg_dsn

_HOSTILE = f"case_id LIKE '{HOSTILE_PREFIX}%'"
_EARLY = """
SELECT case_id, sequence FROM sla.ledger
WHERE type = 'clock_breached' AND least(at, recorded_at) < (convert_from(body, 'UTF8')::jsonb ->> 'due_at')::timestamptz
"""
_UNSEEN = f"""
SELECT case_id, max(sequence) FROM sla.ledger WHERE NOT {_HOSTILE} GROUP BY 1
EXCEPT SELECT case_id, max(sequence) FROM desk.case_event GROUP BY 1
"""
_OVERDUE_TIMERS = f"""
SELECT case_id, due_at FROM sla.timer WHERE due_at < (SELECT max(recorded_at) FROM sla.ledger) - interval '10 minutes' AND NOT {_HOSTILE}
"""
"""Ten minutes of domain time, which the runs let pass in ten seconds."""
_SENT = (
    "SELECT DISTINCT coalesce(carrier, id) AS id FROM notify.delivery WHERE status IN ('sent', 'delivered') AND channel IN ('email', 'sms')"
)
"""A digest carries the messages of several deliveries."""
_DELIVERIES = "SELECT id FROM notify.delivery"
_HOSTILE_SUBMISSIONS = "SELECT case_id FROM intake.complaint WHERE source = $1"
_ACTIONS = "SELECT case_id, count(*) FROM sla.ledger WHERE cause = 'action' AND case_id = ANY($1) GROUP BY 1"
_MAX_NAMED = 3


@dataclass
class Anomalies:
    """The number of each anomaly, in the words of Jepsen where it has one, and examples.

    `lost`: an acknowledged submission, action, event or message that is missing somewhere; `doubled`: an effect that came twice;
    `unseen`: an event that a reader's copy lacks; `reordered`: an event behind a later one of its case; `phantom`: a record without a row
    that caused it; `early`: a breach before its deadline; `invented`: a message at a gateway that nobody requested; `stuck`: what waits
    though it could go on.
    """

    lost: int = 0
    doubled: int = 0
    unseen: int = 0
    reordered: int = 0
    phantom: int = 0
    early: int = 0
    invented: int = 0
    stuck: int = 0
    repeated: int = 0
    """Records that the relay sent again, which consumers drop: no anomaly."""
    refused: Counter[str] = field(default_factory=Counter)
    """Dead letters that hostile records caused, by service: no anomaly."""
    details: list[str] = field(default_factory=list)

    @property
    def none(self) -> bool:
        """Whether nothing was found."""
        return not self.numbers

    @property
    def numbers(self) -> dict[str, int]:
        """The anomalies that occurred, with their number."""
        names = ("lost", "doubled", "unseen", "reordered", "phantom", "early", "invented", "stuck")
        return {name: number for name in names if (number := getattr(self, name))}

    def add_reconciliation(self, result: Reconciliation) -> None:
        """Add what the comparison of all tables and topics found."""
        self.lost += result.lost
        self.doubled += result.duplicated
        self.reordered += result.disordered
        self.phantom += result.unexpected
        self.repeated += result.repeated
        self.details += result.details

    def add(self, name: str, description: str, examples: Collection[object]) -> None:
        """Add one anomaly for each example."""
        setattr(self, name, getattr(self, name) + len(examples))
        if examples:
            self.details.append(f"{name}: {len(examples)} {description}, e.g. {', '.join(map(str, list(examples)[:_MAX_NAMED]))}")


async def find_anomalies(
    database_url: str, bootstrap_servers: str, accepted: Collection[str], actions: Mapping[str, int], sinks: Path
) -> Anomalies:
    """Compare tables, topics, ledgers and what the gateways received (`mail.jsonl`, `sms.jsonl` in `sinks`) with what was accepted.

    Call it after the services were stopped in the order of the data flow. Hostile cases are left out; complaints that hostile requests
    submitted, where intake accepted them, are compared as all others are.
    """
    anomalies = Anomalies()
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    try:
        of_requests = [row["case_id"] for row in await connection.fetch(_HOSTILE_SUBMISSIONS, SOURCE)]
        all_actions = {**actions, **dict(await connection.fetch(_ACTIONS, of_requests))}
        all_accepted = {*accepted, *of_requests}
        anomalies.add_reconciliation(
            await reconcile(database_url, bootstrap_servers, "", all_accepted, all_actions, outcomes_read=False, left_out=is_hostile)
        )
        anomalies.add("early", "breaches before their deadline", await connection.fetch(_EARLY))
        anomalies.add("unseen", "cases whose last event the desk lacks", await connection.fetch(_UNSEEN))
        anomalies.add("stuck", "timers overdue", await connection.fetch(_OVERDUE_TIMERS))
        for service in SERVICES:
            letters = await connection.fetch(f"SELECT topic, key, headers, reason FROM {service}.dead_letter WHERE status = 'open'")
            honest = [letter for letter in letters if not (is_hostile(letter["key"]) or f'["{MARK}",' in letter["headers"])]
            anomalies.refused[service] = len(letters) - len(honest)
            anomalies.add("stuck", f"dead letters of {service}", [(letter["topic"], letter["reason"]) for letter in honest])
            parked = [row["key"] for row in await connection.fetch(f"SELECT key FROM {service}.parked")]
            anomalies.add("stuck", f"cases parked by {service}", [key for key in parked if not is_hostile(key)])
        sent = {str(row["id"]) for row in await connection.fetch(_SENT)}
        deliveries = {str(row["id"]) for row in await connection.fetch(_DELIVERIES)}
    finally:
        await connection.close()
    _check_gateways(anomalies, sent, deliveries, received_messages(sinks))
    return anomalies


def received_messages(sinks: Path) -> Counter[str]:
    """How often the sinks stored the message of each delivery."""
    received = Counter[str]()
    for name in ("mail.jsonl", "sms.jsonl"):
        file = sinks / name
        for line in file.read_bytes().splitlines() if file.exists() else ():
            received[str(orjson.loads(line)["key"]).strip("<>").partition("@")[0]] += 1
    return received


def _check_gateways(anomalies: Anomalies, sent: set[str], deliveries: set[str], received: Counter[str]) -> None:
    anomalies.add("lost", "messages recorded as sent that no gateway received", sorted(sent - received.keys()))
    anomalies.add("doubled", "messages that a gateway stored twice", sorted(key for key, number in received.items() if number > 1))
    anomalies.add("invented", "messages at a gateway without a delivery", sorted(received.keys() - deliveries))
