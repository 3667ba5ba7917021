"""Runs topics, tables, the five services and the sinks on this machine, against servers that already run."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
from click import ClickException
from pydantic import SecretStr

from cli.database import connect
from cli.service_names import SERVICES
from cli.stack.preflight import reject_other_organisation
from cli.stack.process_environment import inherited_settings, process_environment
from cli.stack.sealing_key import local_sealing_keys
from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess
from shared.contracts.topics import CREATED_TOPICS, department_topic
from shared.procedures.loading.loader import load_organisation
from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.settings import RuntimeSettings

READY_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 20.0
SINKS = "sinks"
_ERROR_PREFIX = "Error: "
"""With it begins the line of a process that cannot start."""
_DESK_ACCOUNTS = "desk_accounts.yaml"
"""The file beside an organisation file with which people sign in to the desk where no identity provider is set."""


@dataclass
class Stack:
    """A running stack: each service's port, the settings of all processes, and the processes by name.

    A process gets the settings without the secrets of others.
    """

    root: Path
    environment: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, ManagedProcess] = field(default_factory=dict)

    def url(self, service: str) -> str:
        """The base URL of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def start(self, name: str, *, keep_log: bool = False) -> ManagedProcess:
        """Start, or start again, a service or the sinks."""
        log = self.root / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        process = ManagedProcess(name, log, signal.SIGTERM)
        port = {"JIESU_HTTP_PORT": str(self.ports[name])} if name in SERVICES else {}
        process.start(_command(name, self), environment={**process_environment(name, self.environment), **port}, keep_log=keep_log)
        self.processes[name] = process
        return process

    def wait_ready(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Wait until sinks and services are ready; raises `ClickException` with the last lines of the log of one that is not."""
        deadline = monotonic() + READY_TIMEOUT_SECONDS
        wait_listening(self.processes[SINKS])
        for name in SERVICES:
            progress(f"Waiting for {name} …")
            wait_started(self.processes[name], partial(_is_ready, self.url(name)), deadline - monotonic())

    def stop(self) -> None:
        """Stop all processes."""
        # All are signalled before the first is waited for: stopping takes as long as the slowest, not as long as all.
        for process in self.processes.values():
            if process.running:
                os.kill(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            process.stop(STOP_TIMEOUT_SECONDS)


def wait_started(process: ManagedProcess, is_ready: Callable[[], bool], seconds: float = READY_TIMEOUT_SECONDS) -> None:
    """Wait until a process is ready; raises `ClickException` with its error where it ends before, or the time is over."""
    deadline = monotonic() + seconds
    while not is_ready():
        if not process.running or monotonic() > deadline:
            raise ClickException(_start_failure(process))
        sleep(0.05)


def wait_listening(sink: ManagedProcess) -> None:
    """Wait until a sink listens; raises `ClickException` where it does not."""
    # Its line, and no connection: an SMSC would take one that says nothing for a session.
    wait_started(sink, partial(sink.output_contains, "stored in"))


def service_ports(*further: str) -> dict[str, int]:
    """A free port for each service and sink, and for further users of the same machine."""
    names = (*SERVICES, "smtp", "sms", *further)
    return dict(zip(names, free_ports(len(names)), strict=True))


@contextmanager
def running_stack(
    root: Path,
    environment: Mapping[str, str],
    organisation: Path,
    progress: Callable[[str], None] = lambda _: None,
    ports: Mapping[str, int] | None = None,
) -> Iterator[Stack]:
    """Create topics and tables, start sinks and services, wait until they are ready; all processes stop with the block.

    `environment` holds DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS and any further settings; secrets that it lacks are generated.
    `ports` are those of `service_ports`, for settings that name one of them.
    """
    progress("Creating topics and tables …")
    stack = prepared_stack(root, environment, organisation, ports)
    settings = _settings(stack.environment)
    # A service refuses to start on a schema that is older than its code.
    for name in SERVICES:
        asyncio.run(migrate_service(settings, name))
    asyncio.run(reject_other_organisation(stack.environment["DATABASE_URL"], load_organisation(organisation).id))
    with ExitStack() as exits:
        exits.callback(stack.stop)
        for name in (SINKS, *SERVICES):
            stack.start(name)
        stack.wait_ready(progress)
        yield stack


def prepared_stack(root: Path, environment: Mapping[str, str], organisation: Path, ports: Mapping[str, int] | None = None) -> Stack:
    """A stack with its settings and topics, but without tables and processes; the arguments are those of `running_stack`."""
    ports = dict(ports or service_ports())
    stack = Stack(root, {**inherited_settings(), **_default_environment(root, organisation, ports), **environment}, ports)
    stack.environment["JIESU_ORGANISATION"] = str(organisation.resolve())
    departments = [department_topic(department.id) for department in load_organisation(organisation).departments]
    asyncio.run(apply_topics(_settings(stack.environment), [*CREATED_TOPICS, *departments]))
    return stack


async def migrate_service(settings: RuntimeSettings, service: str) -> None:
    """Run the revisions that a service's schema lacks; raises `ClickException` where the database cannot be used."""
    database = Database(settings, service)
    try:
        await migrate(database, f"services.{service}.migrations")
    except Exception as error:
        if not is_infrastructure(error):
            raise
        raise _database_error(error) from error
    finally:
        await database.close()


def recreate_database(url: str, name: str) -> str:
    """Drop and create a database on the server of `url`; returns its URL. Raises `ClickException` where the user may not."""
    asyncio.run(_recreate_database(url, name))
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _recreate_database(url: str, name: str) -> None:
    try:
        async with connect(url) as connection:
            # FORCE: services of a killed run may still be connected.
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{name}"')
    except asyncpg.InsufficientPrivilegeError as error:
        raise ClickException(f"DATABASE_URL: its user may not create the database {name}; give one that may (CREATEDB)") from error
    except (OSError, asyncpg.PostgresError) as error:
        raise _database_error(error) from error


def _database_error(error: BaseException) -> ClickException:
    return ClickException(
        f"DATABASE_URL: PostgreSQL cannot be used ({redacted_reason(error)}): check its host, user and password, and that it runs"
    )


def _default_environment(root: Path, organisation: Path, ports: Mapping[str, int]) -> dict[str, str]:
    sealing_keys = local_sealing_keys(root)
    accounts = organisation.resolve().parent / _DESK_ACCOUNTS
    return {
        "JIESU_ENVIRONMENT": "demo",
        **({"JIESU_DESK_ACCOUNTS": str(accounts)} if accounts.is_file() else {}),
        "JIESU_ORGANISATION": str(organisation.resolve()),
        "JIESU_SEALING_KEYS": sealing_keys,
        # From the stored keys: with another pseudonym key the same people would not be recognised after the next start.
        "JIESU_PSEUDONYM_KEY": sha256(f"pseudonyms {sealing_keys}".encode()).hexdigest(),
        # So that links in messages still open their cases after the next start.
        "JIESU_FOLLOW_KEY": sha256(f"follow codes {sealing_keys}".encode()).hexdigest(),
        "JIESU_DESK_INTAKE_URL": f"http://127.0.0.1:{ports['intake']}",
        "JIESU_DESK_TRIAGE_URL": f"http://127.0.0.1:{ports['triage']}",
        "JIESU_DESK_SLA_URL": f"http://127.0.0.1:{ports['sla']}",
        "JIESU_DESK_NOTIFY_URL": f"http://127.0.0.1:{ports['notify']}",
        "JIESU_FOLLOW_URL": f"http://127.0.0.1:{ports['sla']}/f",
        "JIESU_SMTP_HOST": "127.0.0.1",
        "JIESU_SMTP_PORT": str(ports["smtp"]),
        "JIESU_SMTP_SECURITY": "none",
        "JIESU_SMS_URL": f"http://127.0.0.1:{ports['sms']}",
        "JIESU_SMS_TOKEN": secrets.token_hex(32),
        "JIESU_SMS_RECEIPT_SECRET": secrets.token_hex(32),
    }


def _command(name: str, stack: Stack) -> list[str]:
    # -P: else a folder of the working directory named services, shared or deploy would be imported instead of the installed package.
    python = [sys.executable, "-P", "-m"]
    if name != SINKS:
        return [*python, f"services.{name}"]
    ports = {"--smtp-port": stack.ports["smtp"], "--sms-port": stack.ports["sms"]}
    options = {"--folder": stack.root / "sinks", **ports, "--receipts": f"{stack.url('notify')}/v1/receipts"}
    return [*python, "deploy.sinks", *(str(word) for option in options.items() for word in option)]


def _settings(environment: Mapping[str, str]) -> RuntimeSettings:
    return RuntimeSettings(
        kafka_bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"],
        database_url=SecretStr(environment["DATABASE_URL"]),
        topic_prefix=environment.get("JIESU_TOPIC_PREFIX", ""),
        replication_factor=int(environment.get("JIESU_REPLICATION_FACTOR", "1")),
    )


def _start_failure(process: ManagedProcess) -> str:
    """The error with which the process ended; the end of its log where it did not end with one."""
    tail = process.log_tail()
    last_line = tail.rpartition("\n")[2]
    if not process.running and last_line.startswith(_ERROR_PREFIX):
        return f"{process.name}: {last_line.removeprefix(_ERROR_PREFIX)}"
    return f"{process.name} did not start; its log {process.log} ends:\n{tail}"


def _is_ready(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/ready", timeout=2)
        # A service is ready before it has joined its group; who starts everything waits for that too.
        return answer.is_success and answer.json()["state"] == "ready"
    except httpx.TransportError:
        return False
