"""`jiesu migrate`: upgrades the services' schemas before the services start, as a user that may create tables."""

import asyncio
from typing import Annotated

import typer

from cli.service_names import SERVICES
from cli.stack.stack import migrate_service
from shared.runtime.process.settings import RuntimeSettings

app = typer.Typer(add_completion=False, help="Bring the services' tables up to date (DATABASE_URL).")


@app.callback(invoke_without_command=True)
def migrate(service: Annotated[list[str] | None, typer.Argument(help="intake, triage, sla, notify, desk; none: all")] = None) -> None:
    """Run the revisions that a service's schema lacks; a service refuses to start on an older schema."""
    for name in service or SERVICES:
        if name not in SERVICES:
            raise typer.BadParameter(f"there is no service {name}; services are {', '.join(SERVICES)}")
        asyncio.run(migrate_service(RuntimeSettings(), name))
        typer.echo(f"{name}: up to date")
