"""`jiesu up`: servers, topics, services and sinks on this machine, on the real clock, until stopped."""

import os
import time
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from click import ClickException

from cli.demo.demo_files import ORGANISATION_FILE
from cli.service_names import SERVICES
from cli.stack import addresses
from cli.stack.addresses import DEFAULT_ROOT, Addresses, ProcessState
from cli.stack.ports import choose_ports, parse_ports
from cli.stack.preflight import check_settings
from cli.stack.process_environment import inherited_settings
from cli.stack.prometheus import PROGRAM, LocalPrometheus, prometheus_is_wanted
from cli.stack.servers import require_embedded_postgres, running_servers
from cli.stack.stack import SINKS, Stack, running_stack
from cli.stack.supervisor import Process, Supervised, Supervisor
from deploy.embedded import EmbeddedServerError, EmbeddedServers
from deploy.embedded.data_folder import prepare_data_folder
from shared.runtime.clock import Clock

_CHECK_SECONDS = 0.5

PortOption = Annotated[
    list[str] | None, typer.Option("--port", metavar="NAME=PORT", help="a port of your choice, 0 for any free one; may be repeated")
]


def up(
    root: Annotated[Path, typer.Option(help="where data and logs are kept")] = DEFAULT_ROOT,
    organisation: Annotated[Path | None, typer.Option(help="the organisation file; else JIESU_ORGANISATION, else the demo's")] = None,
    port: PortOption = None,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="any free ports instead of the fixed ones")] = False,
    with_prometheus: Annotated[
        bool | None, typer.Option("--with-prometheus/--without-prometheus", help="by default, if it is on the PATH")
    ] = None,
) -> None:
    """Run everything until Ctrl-C; KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL use servers of your own, JIESU_UP_PORTS is as --port."""
    organisation_file = organisation or Path(os.environ.get("JIESU_ORGANISATION") or ORGANISATION_FILE)
    check_settings(organisation_file)
    # Of the variable first: what is written on the command line wins.
    chosen = parse_ports([*os.environ.get("JIESU_UP_PORTS", "").replace(",", " ").split(), *(port or ())])
    monitored = prometheus_is_wanted(with_prometheus)
    require_embedded_postgres()
    with ExitStack() as exits:
        _claim(root, exits)
        ports = choose_ports(chosen, _needed_ports(monitored), free=free_ports)
        kafka_ports = (ports["broker"], ports["controller"]) if "broker" in ports else None
        try:
            servers = exits.enter_context(running_servers(root, typer.echo, kafka_ports))
            environment = {
                "JIESU_ENVIRONMENT": "development",
                **inherited_settings(),
                "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap_servers,
                "DATABASE_URL": servers.database_url,
            }
            stack = exits.enter_context(running_stack(root, environment, organisation_file, typer.echo, ports))
            supervisor = _supervise(servers, stack, ports, exits, monitored=monitored)
            while True:
                time.sleep(_CHECK_SECONDS)
                supervisor.check()
        except KeyboardInterrupt:
            typer.echo("stopping …")


def _claim(root: Path, exits: ExitStack) -> None:
    try:
        prepare_data_folder(root)
    except EmbeddedServerError as error:
        raise ClickException(str(error)) from error
    exits.enter_context(addresses.claimed(root))


def _needed_ports(monitored: bool) -> list[str]:
    broker = [] if os.environ.get("KAFKA_BOOTSTRAP_SERVERS") else ["broker", "controller"]
    return [*broker, *SERVICES, "smtp", "sms", *([PROGRAM] if monitored else [])]


def _supervise(servers: EmbeddedServers, stack: Stack, ports: dict[str, int], exits: ExitStack, *, monitored: bool) -> Supervisor:
    """Print and store the addresses; returns what starts ended processes again."""
    found = Addresses(
        started_at=Clock().real_now(),
        broker=servers.bootstrap_servers,
        database=addresses.without_password(servers.database_url),
        services={name: stack.url(name) for name in SERVICES},
        sinks={"smtp": f"127.0.0.1:{ports['smtp']}", "sms": f"http://127.0.0.1:{ports['sms']}", "messages": str(stack.root / "sinks")},
        prometheus=f"http://127.0.0.1:{ports[PROGRAM]}" if monitored else "",
        logs=stack.root / "logs",
    )
    supervised = [*_supervised_servers(servers), *_supervised_stack(stack)]
    if monitored:
        prometheus = LocalPrometheus(stack.root, found.services, ports[PROGRAM])
        exits.callback(prometheus.process.stop)
        supervised.append(Supervised(PROGRAM, prometheus.start(), partial(prometheus.start, keep_log=True)))

    def keep() -> None:
        found.processes = {
            each.name: ProcessState(pid=each.process.pid, restarts=each.restarts, last_end=each.last_end) for each in supervised
        }
        addresses.write_addresses(stack.root, found)

    addresses.write_settings(stack.root, stack.environment)
    keep()
    for line in found.lines():
        typer.echo(line)
    typer.echo(f"kept in {stack.root / addresses.ADDRESSES_FILE}; `jiesu status` shows what runs, `jiesu logs` the logs; Ctrl-C stops all")
    return Supervisor(supervised, _say, keep)


def _supervised_servers(servers: EmbeddedServers) -> list[Supervised]:
    supervised: list[Supervised] = []
    if kafka := servers.kafka:

        def launch_kafka() -> Process:
            kafka.launch()
            return kafka.process

        supervised.append(Supervised("broker", kafka.process, launch_kafka))
    if postgres := servers.postgres:

        def start_postgres() -> Process:
            postgres.start()
            return postgres.process

        supervised.append(Supervised("database", postgres.process, start_postgres))
    return supervised


def _supervised_stack(stack: Stack) -> list[Supervised]:
    return [Supervised(name, stack.processes[name], partial(stack.start, name, keep_log=True)) for name in (SINKS, *SERVICES)]


def _say(line: str) -> None:
    now: datetime = Clock().real_now().astimezone()
    typer.echo(f"{now:%H:%M:%S} {line}")
