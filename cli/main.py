"""The command `jiesu`: a command's module is imported only when the command is called, so that every command starts fast."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from click import ClickException
from typer.core import TyperCommand, TyperGroup

from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.errors import Misconfigured, Unavailable

COMMANDS: dict[str, tuple[str, str]] = {
    "procedure": ("cli.commands.authoring.procedure:app", "Check, explain, cover, compare and start procedures."),
    "organisation": ("cli.commands.authoring.organisation:app", "Check an organisation file."),
    "notify": ("cli.commands.authoring.notify:app", "Check message templates and providers, preview messages."),
    "simulate": ("cli.commands.authoring.simulate:simulate", "Run a scenario file on the pure core."),
    "deadline": ("cli.commands.authoring.deadline:app", "Compute due instants, with their explanation."),
    "triage": ("cli.commands.authoring.triage:app", "Train, measure, explain and compare the models of triage."),
    "calendar": ("cli.commands.authoring.calendar:app", "Show or check a working calendar."),
    "topics": ("cli.commands.operations.topics:app", "List, create and check the topics."),
    "schemas": ("cli.commands.development.schemas:app", "Write or check the golden schemas of the wire format."),
    "docs": ("cli.commands.development.docs:app", "Write or check the reference pages that are made from the code."),
    "intake": ("cli.commands.operations.intake:app", "Import files, and read what arrived again."),
    "dead-letters": ("cli.commands.operations.dead_letters:app", "List, show and replay messages that could not be processed."),
    "ledger": ("cli.commands.records.ledger:app", "Verify a ledger, seal a year."),
    "evidence": ("cli.commands.records.evidence:evidence", "Export a case with its proofs."),
    "attachments": ("cli.commands.records.attachments:app", "Compare stored attachments with their digests, erase one."),
    "erase": ("cli.commands.records.erase:erase", "Destroy the personal data of a person, everywhere."),
    "retention": ("cli.commands.records.retention:retention", "Erase what is past its retention, or show it."),
    "hold": ("cli.commands.records.hold:hold", "Put cases under legal hold, or release them."),
    "form": ("cli.commands.records.form:form", "Print a form of a case or of a period."),
    "forms": ("cli.commands.records.forms:app", "Issue numbered forms, and bind a year's closed records."),
    "list": ("cli.commands.records.case_list:print_list", "Print a list of a procedure's cases."),
    "report": ("cli.commands.records.report:report", "Figures of a week, month, quarter or year."),
    "replay": ("cli.commands.records.replay:replay", "Recompute every case from its events and compare."),
    "desk": ("cli.commands.operations.desk:app", "Rebuild the read model of the desk."),
    "migrate": ("cli.commands.operations.migrate:app", "Bring the services' tables up to date."),
    "backup": ("cli.commands.operations.backup:app", "Back up, restore, and find again what topics have."),
    "demo": ("cli.commands.operations.demo:demo", "A month of complaints in about a minute, on real servers."),
    "up": ("cli.commands.operations.up:up", "Run servers and services until stopped."),
    "status": ("cli.commands.operations.status:status", "What runs, what waits, what failed."),
    "logs": ("cli.commands.operations.logs:logs", "Show the logs of `jiesu up`, also those of one case."),
    "env": ("cli.commands.operations.env:env", "Print the settings of `jiesu up` for a shell."),
}
"""Command → the module and name of its typer app or function, and its help in one line."""
SERVER_COMMANDS = frozenset(
    (
        *("topics", "intake", "dead-letters", "ledger", "evidence", "attachments", "form", "forms", "list", "report", "replay"),
        *("migrate", "desk"),
    )
)
SERVER_SUBCOMMANDS = frozenset((("procedure", "replay"), ("notify", "preview"), ("triage", "export")))
"""Commands that use database or broker: with no servers in the environment they use those of `jiesu up` in var/up."""
ADDRESSES = Path("var/up/addresses.json")
"""Looked for here, so that no command imports what reads it in vain."""


class LazyCommandGroup(TyperGroup):
    """A group that imports a command's module when the command is called; the list of commands needs their one-line help alone."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands, in the order of the table."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A placeholder with the command's help; None for an unknown name."""
        entry = COMMANDS.get(cmd_name)
        return TyperCommand(cmd_name, help=entry[1]) if entry else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The called command, imported, and its arguments."""
        if args and args[0] in COMMANDS:
            uses_servers = args[0] in SERVER_COMMANDS or tuple(args[:2]) in SERVER_SUBCOMMANDS
            if uses_servers and ADDRESSES.exists() and "--help" not in args:
                import_module("cli.stack.running_stack_settings").use_running_stack()
            return args[0], load_command(args[0]), args[1:]
        return super().resolve_command(ctx, args)


def load_command(name: str) -> Any:
    """Import a command of the table; returns a click command."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    target = getattr(import_module(module), attribute)
    if not isinstance(target, typer.Typer):
        function = target
        target = typer.Typer(add_completion=False)
        target.command(name)(function)
    command = typer.main.get_command(target)
    command.name = name
    return command


app = typer.Typer(cls=LazyCommandGroup, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _root() -> None:
    """接诉 Jiesu: complaint handling whose deadlines explain themselves."""


def main() -> None:
    """The console script: a server, setting or file that cannot be used ends it with one line and status 1."""
    try:
        app(prog_name="jiesu")
    except ProcedureError as error:
        typer.echo(f"Error: {error.in_one_line()}", err=True)
        sys.exit(1)
    except (ClickException, Unavailable, Misconfigured) as error:  # typer has a copy of click and does not handle click's own exception
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
