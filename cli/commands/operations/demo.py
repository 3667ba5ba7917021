"""`jiesu demo`: a month of complaints through real servers and services in about a minute, and the reckoning."""

import asyncio
import shutil
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from rich.console import Console
from rich.table import Table

from cli.demo import hostile_input, shutdown
from cli.demo import month_figures as figures
from cli.demo.demo_files import ORGANISATION_FILE
from cli.demo.live_view import LiveView
from cli.demo.month_plan import END, START, plan_month
from cli.demo.sender import DemoSender
from cli.demo.staff import StaffPlanner
from cli.reconciliation.reconciliation import Reconciliation, reconcile
from cli.stack.servers import running_servers
from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from shared.runtime.clock import Clock, uuid7
from shared.runtime.errors import Unavailable

FACTOR = 43_200
"""Domain seconds that pass in a real one: a month takes a minute."""
STARTUP_ALLOWANCES = (timedelta(seconds=15), timedelta(seconds=45), timedelta(seconds=150))
"""Real time for the services to start before the month begins; a machine that needs longer is given more."""
DATABASE_NAME = "jiesu_demo"


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="plain lines, and the summary as JSON at the end")] = False,
    root: Annotated[Path, typer.Option(help="where data, logs, messages and the summary are kept")] = Path("var/demo"),
) -> None:
    """Run a month of self-written complaints; exit 0 only if nothing was lost, repeated or answered wrongly."""
    console = Console(stderr=as_json)
    plain = as_json or not console.is_terminal
    shutil.rmtree(root / "sinks", ignore_errors=True)
    root.mkdir(parents=True, exist_ok=True)

    def progress(line: str) -> None:
        console.print(line, highlight=False)

    with running_servers(root, progress) as servers:
        asyncio.run(_drop_topics(servers.bootstrap_servers))
        summary = next(found for lead in STARTUP_ALLOWANCES if (found := _run_once(root, servers, lead, console, plain=plain)) is not None)
    (root / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    if as_json:
        typer.echo(orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode())
    else:
        _print_summary(console, summary, root)
    if not summary["ok"]:
        raise typer.Exit(1)


def _run_once(root: Path, servers: EmbeddedServers, lead: timedelta, console: Console, *, plain: bool) -> dict[str, Any] | None:
    """The month, if the services were ready when it began; None if they were not."""

    def progress(line: str) -> None:
        console.print(line, highlight=False)

    prefix = f"demo-{uuid7()}."
    database = recreate_database(servers.database_url, DATABASE_NAME)
    clock = f"{START.isoformat()}@{(Clock().real_now() + lead).isoformat()}x{FACTOR}"
    environment = {
        "JIESU_CLOCK": clock,
        "JIESU_TOPIC_PREFIX": prefix,
        "JIESU_CLOCK_TOLERANCE_MS": "0",  # one machine, one clock; a tenth of a second would be an hour here
        "JIESU_ENVIRONMENT": "demo",
        "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap_servers,
        "DATABASE_URL": database,
    }
    with running_stack(root, environment, ORGANISATION_FILE, progress) as stack:
        scaled = Clock.parse(clock, "demo")
        if scaled.seconds_until(START) < 0 and lead != STARTUP_ALLOWANCES[-1]:
            progress("This machine is busy: the services get more time to start.")
            return None
        progress("The month begins.")
        return asyncio.run(_month(stack, scaled, prefix, console, plain=plain))


async def _month(stack: Stack, clock: Clock, prefix: str, console: Console, *, plain: bool) -> dict[str, Any]:
    plan = plan_month(StaffPlanner())
    sender = DemoSender(stack, clock, prefix)
    stop = asyncio.Event()
    watch = asyncio.create_task(LiveView(clock, stack.environment["KAFKA_BOOTSTRAP_SERVERS"], prefix, plain, console).run(stop))
    wrong = await sender.run(plan, hostile_input.send_hostile_input)
    await asyncio.sleep(max(0.0, clock.seconds_until(END)))
    if watch.done():
        await watch
    await shutdown.shut_down_in_order(stack, prefix, sender.accepted)
    stop.set()
    await watch
    database = stack.environment["DATABASE_URL"]
    month_figures = await figures.read_month_figures(database)
    found = await reconcile(database, stack.environment["KAFKA_BOOTSTRAP_SERVERS"], prefix, sender.accepted, outcomes_read=False)
    return _summary(sender, wrong, month_figures, found)


def _summary(sender: DemoSender, wrong: list[str], month_figures: figures.MonthFigures, found: Reconciliation) -> dict[str, Any]:
    events = month_figures.events_by_type
    result: dict[str, Any] = {
        "received": sender.counts["received"],
        "refused": sender.counts["refused"],
        "accepted": len(sender.accepted),
        "registered": month_figures.registered,
        "registered_by_procedure": dict(sorted(month_figures.registered_by_procedure.items())),
        "routed_by_department": dict(month_figures.routed_by_department.most_common()),
        "actions": sender.counts["actions"],
        "actions_refused": events["action_refused"],
        "answered_in_time": month_figures.answered_in_time,
        "answered_late": month_figures.answered_late,
        "deadlines_met_in_time": month_figures.deadlines_met,
        "breached": events["clock_breached"],
        "escalated": events["escalated"],
        "escalated_to_the_top": month_figures.escalated_to_the_top,
        "deemed_approved": events["measures_deemed_approved"],
        "groups_found": events["group_found"],
        "reached_back": month_figures.earlier_group_members,
        "reclassified_by_counting": month_figures.reclassified_by_counting,
        "due_on_make_up_days": month_figures.due_on_make_up_days,
        "reminded": events["reminded"],
        "messages_sent": month_figures.messages_sent,
        "messages_failed": month_figures.messages_failed,
        "closed": events["closed"],
        "reopened": events["reopened"],
        "dead_letters": month_figures.dead_letters,
        "wrongly_answered": [*wrong, *sender.unanswered],
        "reconciliation": asdict(found),
        "lost": found.lost,
        "duplicated": found.duplicated,
    }
    complete = month_figures.registered == len(sender.accepted) and month_figures.dead_letters == sender.counts["broken_records"]
    result["ok"] = not found.lost and not found.duplicated and complete and not result["wrongly_answered"]
    return result


def _print_summary(console: Console, summary: dict[str, Any], root: Path) -> None:
    table = Table(title="接诉 Jiesu: the month", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in summary.items():
        if isinstance(value, dict) and name != "reconciliation":
            table.add_row(name.replace("_", " "), "")
            for part, number in value.items():
                table.add_row(f"  {part}", str(number))
        elif not isinstance(value, dict | list) and name != "ok":
            table.add_row(name.replace("_", " "), str(value))
    console.print(table)
    for line in summary["wrongly_answered"]:
        console.print(f"not as expected: {line}", style="red")
    console.print(f"lost: {summary['lost']}, duplicated: {summary['duplicated']}   (details: {root / 'summary.json'})", highlight=False)
    console.print(f"messages to people: {root / 'sinks'}, logs: {root / 'logs'}", highlight=False)


async def _drop_topics(bootstrap: str) -> None:
    """Topics of earlier demos."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
    except KafkaConnectionError as error:
        raise Unavailable(
            f"KAFKA_BOOTSTRAP_SERVERS: no broker answers at {bootstrap}: is the address right, does the broker run?"
        ) from error
    try:
        old = [name for name in await admin.list_topics() if name.startswith("demo-")]
        if old:
            await admin.delete_topics(old)
    finally:
        await admin.close()
