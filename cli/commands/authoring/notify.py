"""`jiesu notify`: check message templates and providers, and preview the messages of a case."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.exit_status import exit_with
from cli.messages.entry_requests import SAMPLE_WORDS, entry_requests
from cli.messages.message_lint import MessageLimits, lint_organisation_messages, lint_pack_messages
from cli.messages.preview import MessagePreview, known_templates, matching_request, preview_message, preview_text
from cli.messages.requested_notifications import requests_of_case
from cli.messages.sample_case import with_sample_titles
from cli.messages.template_sources_lint import MessageFinding
from cli.output_file import writing_out
from services.notify.bootstrap import messaging_packs, procedure_titles, template_sources
from services.notify.domain.message_templates import CHANNELS, LANGUAGES, MessageTemplates
from services.notify.domain.message_values import MessageTexts
from services.notify.providers.mail.layout_file import load_mail_layout
from services.notify.providers.providers_file import load_providers, provider_problems
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.procedures.loading.loader import installed_packs, load_pack
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation, open_organisation

EXAMPLE = "example"
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check message templates and providers, and preview messages.")
TemplatesOption = Annotated[
    Path | None, typer.Option(envvar="JIESU_TEMPLATES", exists=True, file_okay=False, help="the folder of the organisation's templates")
]
OrganisationOption = Annotated[Path | None, typer.Option(envvar="JIESU_ORGANISATION", help="the organisation file")]


@app.command()
def check(
    organisation: OrganisationOption = None,
    templates: TemplatesOption = None,
    providers: Annotated[Path | None, typer.Option(envvar="JIESU_PROVIDERS", help="the providers file")] = None,
    max_parts: Annotated[int, typer.Option(min=1, help="parts that a text message may have with the longest words")] = 3,
) -> None:
    """Check templates, wordings and providers before notify starts with them; exit 0: no errors (there may be warnings), 1: errors."""
    try:
        lines = [str(finding) for finding in _message_findings(organisation, templates, MessageLimits(max_parts))]
        lines += _provider_lines(providers, organisation) if providers else []
    except ProcedureError as error:
        lines = [f"{problem.level}: {problem}" for problem in error.problems]
    except ValueError as error:  # a layout of HTML mails that cannot be used
        lines = [f"error: {error}"]
    for line in lines:
        typer.echo(line)
    errors = sum(line.startswith("error") for line in lines)
    typer.echo(f"{errors} errors, {len(lines) - errors} warnings")
    if errors:
        raise typer.Exit(1)


@app.command()
def preview(
    case: Annotated[str, typer.Argument(help=f"a case's id, the file of an evidence archive, or `{EXAMPLE}`, which needs no servers")],
    template: Annotated[str, typer.Argument(help="an entry of the procedure (call_back), or a template's name (reminded)")],
    channel: Annotated[str, typer.Option(help=f"{', '.join(CHANNELS)}; none: those of the request")] = "",
    language: Annotated[str, typer.Option(help=f"{' or '.join(LANGUAGES)}; none: both")] = "",
    procedure: Annotated[str, typer.Option(help=f"with `{EXAMPLE}`: the pack whose entries give the messages")] = "hunan-property",
    organisation: OrganisationOption = None,
    templates: TemplatesOption = None,
    html: Annotated[Path | None, typer.Option(help="also write the HTML of the mail into this file")] = None,
) -> None:
    """Show a message as its recipient reads it, with its length and the parts that a text message costs. Sends nothing."""
    if channel and channel not in CHANNELS:
        exit_with(f"channel: {channel} does not exist; use one of {', '.join(CHANNELS)}")
    if language and language not in LANGUAGES:
        exit_with(f"language: {language} has no templates; use one of {', '.join(LANGUAGES)}")
    try:
        requests, texts = _example(procedure, organisation) if case == EXAMPLE else _recorded(case, organisation)
        request = matching_request(requests, template)
    except ProcedureError as error:
        exit_with("\n".join(f"error: {problem}" for problem in error.problems))
    if request is None:
        exit_with(f"template: {template} is in no message of this case; it has {', '.join(known_templates(requests)) or 'none'}")
    installed = MessageTemplates(template_sources(templates))
    shown = [
        message
        for each_channel in ([channel] if channel else request.by)
        for each_language in ([language] if language else LANGUAGES)
        if (message := preview_message(request, template, installed, texts, each_channel, each_language))
    ]
    if not shown:
        exit_with(f"template: {template} has no text for {channel or 'these channels'}; add <name>.<language>.<channel>.j2")
    typer.echo(preview_text(shown), nl=False)
    if html is not None:
        _write_html(html, shown, templates)


def _message_findings(organisation: Path | None, templates: Path | None, limits: MessageLimits) -> Iterator[MessageFinding]:
    load_mail_layout(templates)
    if organisation is None and templates is None:
        for pack in installed_packs():
            yield from lint_pack_messages(load_pack(pack), limits=limits)
        return
    checked = load_checked_organisation(organisation) if organisation else open_organisation()
    yield from lint_organisation_messages(checked, organisation.parent if organisation else Path(), templates, limits)


def _provider_lines(file: Path, organisation: Path | None) -> list[str]:
    lines = [f"{problem.level}: {problem}" for problem in provider_problems(file, os.environ)]
    if organisation is None or any(line.startswith("error") for line in lines):
        return lines
    robots = {entry.id for entry in load_providers(file) if entry.channel == "chat"}
    checked = load_checked_organisation(organisation)
    named = [(f"department {unit.id}", unit.chat) for unit in checked.departments]
    named += [(f"person {person.id}", person.chat) for person in checked.people]
    return lines + [
        f"warning: {where}: chat: {file} has no robot {robot}; add an entry of channel chat with this id"
        for where, robot in named
        if robot is not None and robot not in robots
    ]


def _example(procedure: str, organisation: Path | None) -> tuple[list[NotificationRequested], MessageTexts]:
    pack = load_pack(procedure)
    named = load_checked_organisation(organisation) if organisation else with_sample_titles(open_organisation())
    return list(entry_requests(pack, SAMPLE_WORDS)), MessageTexts(named, procedure_titles([pack]))


def _recorded(case: str, organisation: Path | None) -> tuple[list[NotificationRequested], MessageTexts]:
    requests = requests_of_case(case)
    named: Organisation = load_checked_organisation(organisation) if organisation else with_sample_titles(open_organisation())
    packs = messaging_packs(named, organisation.parent if organisation else Path())
    return requests, MessageTexts(named, procedure_titles(packs))


def _write_html(file: Path, shown: list[MessagePreview], templates: Path | None) -> None:
    mail = next((message for message in shown if message.channel == "email"), None)
    if mail is None:
        exit_with("html: only mails have HTML; add --channel email")
    html = load_mail_layout(templates).render(mail.rendered.subject, mail.rendered.text, mail.language)
    with writing_out("--html"):
        file.write_text(html, encoding="utf-8")
    typer.echo(f"{file}: the HTML of the mail ({mail.language})")
