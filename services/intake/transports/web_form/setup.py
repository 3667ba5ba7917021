"""Adds the web forms of the organisation file to the intake service."""

from datetime import timedelta

from services.intake.application.group_commit import GroupCommit
from services.intake.application.parts import IntakeParts
from services.intake.application.registration import group_registration
from services.intake.attachments.store import AttachmentStore
from services.intake.channels.web_form import form_lines
from services.intake.config import IntakeSettings
from services.intake.domain.submission import SourceContext
from services.intake.transports.web_form.form_copies import VIA_FORM, FormReader, SourceForm
from services.intake.transports.web_form.form_page import FormDescription
from services.intake.transports.web_form.form_token import FormTokens
from services.intake.transports.web_form.routes import FormPages, router
from services.intake.transports.web_form.submitting import SubmitForm
from shared.contracts.follow_codes import follow_key
from shared.procedures.model.sources.web_form import WebForm
from shared.runtime.service import Service

_HOUR_SECONDS = 3600


def register(service: Service, parts: IntakeParts) -> None:
    """Add the pages of the sources that have a form."""
    settings, attachments = parts.settings, parts.attachments
    forms = source_forms(parts)
    if not forms:
        return

    register_group = group_registration(parts.registration, VIA_FORM)
    group_commit = GroupCommit(service.database, register_group, settings.group_commit_items)
    submit = SubmitForm(form_reader(parts), group_commit, parts.raw_copies, service.database, service.clock, attachments)
    secret = settings.form_key.get_secret_value() or settings.sealing_keys.get_secret_value().rpartition(",")[2]
    follow_secret = settings.follow_key.get_secret_value()
    pages = FormPages(
        forms,
        submit,
        FormTokens(secret, settings.form_min_seconds, settings.form_max_hours * _HOUR_SECONDS),
        service.clock,
        attachments,
        follow_key(follow_secret) if follow_secret else None,
        settings.follow_url,
    )
    service.include_router(router(pages))


def source_forms(parts: IntakeParts) -> dict[str, SourceForm]:
    """The sources that have a form."""
    return {
        name: _source_form(context, form, parts.settings, parts.attachments)
        for name, context in parts.sources.contexts.items()
        if (form := context.source.form) is not None
    }


def form_reader(parts: IntakeParts) -> FormReader:
    """The reader of the forms of all sources."""
    return FormReader(parts.reader, timedelta(seconds=parts.settings.max_future_seconds))


def _source_form(context: SourceContext, form: WebForm, settings: IntakeSettings, attachments: AttachmentStore | None) -> SourceForm:
    lines = form_lines(form, context.bound_procedure.procedure)
    source = context.source
    max_files = 0 if attachments is None else form.attachments
    description = FormDescription(
        source.id, form, lines, max_files, settings.attachment_max_bytes, source.contact_name, source.contact_phone
    )
    return SourceForm(context, lines, description)
