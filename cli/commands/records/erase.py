"""`jiesu erase`: destroy the name, contact data and texts of a person in every service, attachment and topic."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import asyncpg
import typer
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError

from cli.exit_status import exit_with
from cli.keeping.case_erasure import CaseErasure, ErasurePlan, open_erasure
from cli.keeping.topic_records import HeldRecords
from services.intake.bootstrap import pseudonym_key_of
from services.intake.config import IntakeSettings
from services.intake.domain.complainant import normal_contact
from services.sla.application.keeping.erasure import ErasureRefusedError
from services.sla.storage.keeping.erasures import Erasure
from shared.contracts.contact_forms import normal_id_number
from shared.contracts.person_keys import person_key
from shared.runtime.process.failures import redacted_reason

_FIELDS = ("phone", "email")
Ground = Literal["request", "order"]


def erase(
    person: Annotated[str, typer.Option(help="a phone number, e-mail address or id number; - reads it from standard input")] = "",
    case: Annotated[list[str] | None, typer.Option("--case", help="this case instead; may be given several times")] = None,
    by: Annotated[str, typer.Option(help="the person of the organisation file who has it done, in a role of its `may_erase`")] = "",
    ground: Annotated[Ground, typer.Option(help="request of the person, or order of an authority")] = "request",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="change nothing; list tables, rows, attachments and topics")] = False,
    trim_topics: Annotated[
        bool, typer.Option("--trim-topics", help="delete the records in topics now, with all older ones of their partitions")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="continue every erasure that was interrupted or waits for topics")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Erase a person, for ever. Exit status: 0 done or listed, 1 topics still hold records, or a service is not done, 2 refused."""
    if resume == bool(person or case) or (person and case):
        exit_with("give either --person, or --case, or --resume")
    if not resume and not by:
        exit_with("--by: must name the person of the organisation file who has it done")
    contact = sys.stdin.readline().strip() if person == "-" else person.strip()
    if person and not contact:
        exit_with("--person: is empty")

    async def work(erasure: CaseErasure) -> tuple[dict[str, Any], int]:
        if resume:
            return await _resume(erasure, trim_topics=trim_topics)
        cases = sorted(set(case or ())) or await erasure.find_cases(_person_keys(contact))
        if not cases:
            exit_with("--person: no case has this phone number, e-mail address or id number", 1)
        if dry_run:
            return (await erasure.plan(cases, by)).document(), 0
        begun = await erasure.begin(cases, ground, by)
        return _outcome(begun, await erasure.carry_out(begun, trim_topics=trim_topics))

    document, status = _run(work)
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1) if as_json else _text(document))
    raise typer.Exit(status)


async def _resume(erasure: CaseErasure, *, trim_topics: bool) -> tuple[dict[str, Any], int]:
    outcomes = [_outcome(each, await erasure.carry_out(each, trim_topics=trim_topics)) for each in await erasure.unfinished()]
    return {"erasures": [document for document, _ in outcomes]}, max((status for _, status in outcomes), default=0)


def _outcome(erasure: Erasure, held: list[HeldRecords]) -> tuple[dict[str, Any], int]:
    document = {"erasure": str(erasure.id), "cases": list(erasure.cases), "state": "waits for topics" if held else "done"}
    if held:
        document["topics"] = ErasurePlan([], topics=held).document()["topics"]
    return document, 1 if held else 0


def _person_keys(contact: str) -> list[str]:
    """The keyed hashes that the contact may have as a phone number, e-mail address or id number."""
    settings = IntakeSettings()
    key, normal = pseudonym_key_of(settings), normal_contact(contact, settings.phone_region)
    return [*(person_key(field, normal, key) for field in _FIELDS), person_key("id_number", normal_id_number(contact), key)]


def _run(work: Callable[[CaseErasure], Awaitable[tuple[dict[str, Any], int]]]) -> tuple[dict[str, Any], int]:
    async def open_and_work() -> tuple[dict[str, Any], int]:
        async with open_erasure(IntakeSettings()) as erasure:
            return await work(erasure)

    try:
        return asyncio.run(open_and_work())
    except ErasureRefusedError as error:
        exit_with(str(error))
    except KafkaError as error:
        exit_with(f"KAFKA_BOOTSTRAP_SERVERS: the broker cannot be used ({type(error).__name__}): repeat the command, or --resume it", 1)
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        exit_with(f"a database or the attachment store cannot be used ({redacted_reason(error)}): repeat the command, or --resume it", 1)


def _text(document: dict[str, Any], indent: str = "") -> str:
    """The document as lines of `name: value`."""
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", _text(value, f"{indent}  ")] if value else []
        elif value and isinstance(value, list) and isinstance(value[0], dict):
            lines += [f"{indent}{name}:", *(f"{indent}  {', '.join(f'{key} {field}' for key, field in entry.items())}" for entry in value)]
        else:
            lines.append(f"{indent}{name}: {', '.join(value) if isinstance(value, list) else value}")
    return "\n".join(lines)
