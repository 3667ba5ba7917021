"""`jiesu demo`: a month of complaints on real servers and services in about a minute, and the comparison at its end."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import orjson
import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from rich.console import Console
from rich.table import Table

from cli.demo.channel_steps import show_channels
from cli.demo.channels import PROVIDER_LABELS, TRANSPORT_LABELS, DemoChannels, demo_channels
from cli.demo.demo_files import DESK_ACCOUNTS_FILE, ORGANISATION_FILE
from cli.demo.hostile_input import send_hostile_input
from cli.demo.learning.reading_steps import show_learning_steps
from cli.demo.learning.trained_model import learning_environment, write_organisation
from cli.demo.live_view import LiveView
from cli.demo.month_figures import MonthFigures, read_month_figures
from cli.demo.month_plan import END, START, plan_month
from cli.demo.sender import DemoSender
from cli.demo.shutdown import shut_down_in_order
from cli.demo.staff import StaffPlanner
from cli.demo.triage_steps import show_triage_steps
from cli.reconciliation.reconciliation import Reconciliation, reconcile
from cli.stack.preflight import check_settings
from cli.stack.servers import running_servers
from cli.stack.stack import Stack, recreate_database, running_stack, service_ports
from deploy.embedded import EmbeddedServers
from shared.runtime.clock import Clock, uuid7
from shared.runtime.errors import Unavailable
from shared.runtime.kafka.connection import options_for

CLOCK_FACTOR = 43_200
"""Domain seconds in a real second: a month passes in a minute."""
STARTUP_ALLOWANCES = (timedelta(seconds=15), timedelta(seconds=45), timedelta(seconds=150))
"""Real time for the services to start before the month begins; a run that needs longer is repeated with the next one."""
DATABASE_NAME = "jiesu_demo"
_STEP_FIGURES = ("duplicates_merged", "answers_read_by_code", "routed_by_model", "reviews_decided", "events_in_other_words")
_PRINTED_BELOW = frozenset({"ok", "lost", "duplicated", "transmissions", "broken_records"})


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="plain lines, and the summary as JSON at the end")] = False,
    root: Annotated[Path, typer.Option(help="where data, logs, messages and the summary are kept")] = Path("var/demo"),
) -> None:
    """Run a month of self-written complaints; exit 0 only if nothing was lost, repeated or answered wrongly."""
    console = Console(stderr=as_json)
    plain = as_json or not console.is_terminal

    def progress(line: str) -> None:
        console.print(line, highlight=False)

    check_settings(ORGANISATION_FILE)
    with running_servers(root, progress) as servers:
        shutil.rmtree(root / "sinks", ignore_errors=True)
        asyncio.run(_delete_earlier_topics(servers.bootstrap_servers))
        organisation, learning = write_organisation(root), learning_environment(root, progress)
        runs = (_run_month(organisation, learning, servers, allowance, console, plain=plain) for allowance in STARTUP_ALLOWANCES)
        summary = next(result for result in runs if result is not None)
    document = orjson.dumps(summary, option=orjson.OPT_INDENT_2)
    (root / "summary.json").write_bytes(document)
    if as_json:
        typer.echo(document.decode())
    else:
        _print_summary(console, summary, root)
    if not summary["ok"]:
        raise typer.Exit(1)


def _run_month(
    organisation: Path, learning: Mapping[str, str], servers: EmbeddedServers, allowance: timedelta, console: Console, *, plain: bool
) -> dict[str, Any] | None:
    """The summary of the month; None where the services started later than the month did, unless the allowance is the last."""

    def progress(line: str) -> None:
        console.print(line, highlight=False)

    root, prefix = organisation.parent, f"demo-{uuid7()}."
    database = recreate_database(servers.database_url, DATABASE_NAME)
    clock_setting = f"{START.isoformat()}@{(Clock().real_now() + allowance).isoformat()}x{CLOCK_FACTOR}"
    environment = {
        "JIESU_CLOCK": clock_setting,
        "JIESU_TOPIC_PREFIX": prefix,
        "JIESU_CLOCK_TOLERANCE_MS": "0",  # one machine, one clock; a tenth of a second would be an hour here
        "JIESU_ENVIRONMENT": "demo",
        "JIESU_HTTP_HOST": "127.0.0.1",
        # The organisation file of the month is a copy elsewhere, without the accounts beside it.
        "JIESU_DESK_ACCOUNTS": str(DESK_ACCOUNTS_FILE),
        "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap_servers,
        "DATABASE_URL": database,
    }
    ports = service_ports("mail", "smpp")
    with (
        demo_channels(root, ports) as channels,
        running_stack(root, {**environment, **learning, **channels.environment}, organisation, progress, ports) as stack,
    ):
        channels.wait_ready()
        clock = Clock.parse(clock_setting, "demo")
        if clock.seconds_until(START) < 0 and allowance != STARTUP_ALLOWANCES[-1]:
            progress("This machine is busy: the services get more time to start.")
            return None
        progress(f"The desk shows the month in a browser: {stack.url('desk')}")
        progress("The month begins.")
        return asyncio.run(_play_month(stack, channels, clock, prefix, console, plain=plain))


async def _play_month(stack: Stack, channels: DemoChannels, clock: Clock, prefix: str, console: Console, *, plain: bool) -> dict[str, Any]:
    plan = plan_month(StaffPlanner())
    sender = DemoSender(stack, clock, prefix)
    stop = asyncio.Event()
    view = asyncio.create_task(LiveView(clock, stack.environment["KAFKA_BOOTSTRAP_SERVERS"], prefix, plain, console).run(stop))
    wrong_answers = await sender.run(plan, partial(_send_alongside, mail_port=channels.mail_port))
    # Deadlines after the last action still pass.
    await asyncio.sleep(max(0.0, clock.seconds_until(END)))
    if view.done():
        await view  # raises the error that ended the view
    await shut_down_in_order(stack, prefix, sender.accepted)
    stop.set()
    await view
    database, bootstrap = stack.environment["DATABASE_URL"], stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
    # sla stopped before notify had sent everything, so it has not read every outcome.
    reconciliation = await reconcile(database, bootstrap, prefix, sender.accepted, outcomes_read=False)
    return _summary(sender, wrong_answers, await read_month_figures(database), reconciliation)


async def _send_alongside(sender: DemoSender, mail_port: int) -> list[str]:
    """Traffic besides the plan: hostile input, other channels, and steps that follow the answers that they get."""
    lines = await asyncio.gather(
        send_hostile_input(sender), show_triage_steps(sender), show_learning_steps(sender), show_channels(sender, mail_port)
    )
    return [line for part in lines for line in part]


def _summary(sender: DemoSender, wrong_answers: list[str], figures: MonthFigures, reconciliation: Reconciliation) -> dict[str, Any]:
    summary: dict[str, Any] = {
        **_sent_figures(sender),
        **_processed_figures(figures),
        "wrongly_answered": [*wrong_answers, *sender.unanswered],
        "reconciliation": asdict(reconciliation),
        "lost": reconciliation.lost,
        "duplicated": reconciliation.duplicated,
    }
    return {**summary, "ok": is_as_expected(summary)}


def is_as_expected(summary: dict[str, Any]) -> bool:
    """Whether nothing was lost, repeated or answered wrongly, and each submission and record is accounted for."""
    return (
        not (summary["lost"] or summary["duplicated"] or summary["wrongly_answered"])
        and summary["received"] == summary["accepted"] + summary["refused"] + summary["resent"]
        and summary["registered"] == summary["accepted"]
        and summary["dead_letters"] == summary["broken_records"]
    )


def _sent_figures(sender: DemoSender) -> dict[str, Any]:
    return {
        "received": sender.counts["received"],
        "accepted": len(sender.accepted),
        "accepted_by_transport": dict(sorted(sender.accepted_by_transport.items())),
        **{name: sender.counts[name] for name in ("refused", "resent", "actions", *_STEP_FIGURES)},
        "broken_records": sender.counts["broken_records"],
    }


def _processed_figures(figures: MonthFigures) -> dict[str, Any]:
    events = figures.events_by_type
    return {
        "registered": figures.registered,
        "registered_by_procedure": dict(sorted(figures.registered_by_procedure.items())),
        "routed_by_department": dict(figures.routed_by_department.most_common()),
        "actions_refused": events["action_refused"],
        "answered_in_time": figures.answered_in_time,
        "answered_late": figures.answered_late,
        "deadlines_met_in_time": figures.deadlines_met,
        "breached": events["clock_breached"],
        "escalated": events["escalated"],
        "escalated_to_the_top": figures.escalated_to_the_top,
        "deemed_approved": events["measures_deemed_approved"],
        "groups_found": events["group_found"],
        # Cases registered before the case that completed their group (`reaches_back` of a count entry).
        "reached_back": figures.earlier_group_members,
        "reclassified_by_counting": figures.reclassified_by_counting,
        "due_on_make_up_days": figures.due_on_make_up_days,
        "reminded": events["reminded"],
        "messages_sent": figures.messages_sent,
        "messages_failed": figures.messages_failed,
        "transmissions": figures.messages_by_provider.total(),
        "messages_by_provider": dict(sorted(figures.messages_by_provider.items())),
        "closed": events["closed"],
        "reopened": events["reopened"],
        "dead_letters": figures.dead_letters,
    }


def _print_summary(console: Console, summary: dict[str, Any], root: Path) -> None:
    console.print(month_table(summary))
    for line in explained_sums(summary):
        console.print(line, highlight=False)
    for line in summary["wrongly_answered"]:
        console.print(f"not as expected: {line}", style="red")
    console.print(f"lost: {summary['lost']}, duplicated: {summary['duplicated']}   (details: {root / 'summary.json'})", highlight=False)
    console.print(f"messages to people: {root / 'sinks'}, logs: {root / 'logs'}", highlight=False)


def month_table(summary: dict[str, Any]) -> Table:
    """The single figures, two in a row, so that 80 columns and 24 lines show them all."""
    names = [name for name, value in summary.items() if isinstance(value, int) and name not in _PRINTED_BELOW]
    figures = [(name.replace("_", " "), str(summary[name])) for name in names]
    half = (len(figures) + 1) // 2
    table = Table(title="接诉 Jiesu: the month", title_justify="left", box=None, show_header=False)
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify)
    for left, right in zip(figures[:half], [*figures[half:], ("", "")], strict=False):
        table.add_row(*left, f"  {right[0]}", right[1])
    return table


def explained_sums(summary: dict[str, Any]) -> list[str]:
    """One line for each figure that is a sum of others, with the ways by which complaints came in and messages went out."""
    # Digests: one transmission carries several messages.
    sent = f"transmissions {summary['transmissions']} for {summary['messages_sent']} messages"
    return [
        f"received {summary['received']} = accepted {summary['accepted']} + refused {summary['refused']} + resent {summary['resent']}",
        f"accepted {summary['accepted']} = {_sum_of(summary['accepted_by_transport'], TRANSPORT_LABELS)}",
        f"registered {summary['registered']} = {_sum_of(summary['registered_by_procedure'])}",
        f"{sent} = {_sum_of(summary['messages_by_provider'], PROVIDER_LABELS)}",
        f"dead letters {summary['dead_letters']} = records broken on purpose {summary['broken_records']}",
    ]


def _sum_of(parts: Mapping[str, int], labels: Mapping[str, str] = MappingProxyType({})) -> str:
    return " + ".join(f"{labels.get(name, name)} {count}" for name, count in parts.items()) or "0"


async def _delete_earlier_topics(bootstrap_servers: str) -> None:
    """Delete the topics of earlier demos; raises `Unavailable` where no broker answers."""
    # Each run has its own topics, and a broker with 256 MB of memory does not start with the topics of many runs.
    admin = AIOKafkaAdminClient(**options_for(bootstrap_servers))
    try:
        await admin.start()
    except KafkaConnectionError as error:
        raise Unavailable(
            f"KAFKA_BOOTSTRAP_SERVERS: no broker answers at {bootstrap_servers}: is the address right, does the broker run?"
        ) from error
    try:
        if topics := [name for name in await admin.list_topics() if name.startswith("demo-")]:
            await admin.delete_topics(topics)
    finally:
        await admin.close()
