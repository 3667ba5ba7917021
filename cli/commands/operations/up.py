"""`jiesu up`: servers, topics, services and sinks on this machine, on the real clock, until stopped."""

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from cli.demo.demo_files import ORGANISATION_FILE
from cli.service_names import SERVICES
from cli.stack.preflight import check_settings
from cli.stack.process_environment import inherited_settings
from cli.stack.servers import running_servers
from cli.stack.stack import running_stack


def up(
    root: Annotated[Path, typer.Option(help="where data and logs are kept")] = Path("var/up"),
    organisation: Annotated[Path | None, typer.Option(help="the organisation file; else JIESU_ORGANISATION, else the demo's")] = None,
) -> None:
    """Run everything until Ctrl-C; KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL use servers of your own."""
    organisation_file = organisation or Path(os.environ.get("JIESU_ORGANISATION", ORGANISATION_FILE))
    check_settings(organisation_file)
    with running_servers(root, typer.echo) as servers:
        environment = {
            "JIESU_ENVIRONMENT": "development",
            **inherited_settings(),
            "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap_servers,
            "DATABASE_URL": servers.database_url,
        }
        with running_stack(root, environment, organisation_file, typer.echo) as stack:
            for name in SERVICES:
                typer.echo(f"{name:<8} {stack.url(name)}  (/openapi.json, /ready, /metrics)")
            typer.echo(f"messages are kept in {stack.root / 'sinks'}, logs in {stack.root / 'logs'}; Ctrl-C stops everything")
            try:
                signal.pause()
            except KeyboardInterrupt:
                typer.echo("stopping …")
