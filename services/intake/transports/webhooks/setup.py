"""Adds webhooks to the intake service."""

import base64
import binascii
import os
from collections.abc import Mapping

from services.intake.application.group_commit import GroupCommit
from services.intake.application.parts import IntakeParts
from services.intake.application.registration import group_registration
from services.intake.channels.webhooks.call_body import WebhookReader
from services.intake.transports.webhooks import api
from services.intake.transports.webhooks.reading import WebhookSubmissions
from shared.procedures.loading.source_formats import load_webhook_map
from shared.procedures.source_formats.webhook_map import HmacSignature, WebhookMap
from shared.runtime.errors import Misconfigured
from shared.runtime.service import Service


def webhook_submissions(parts: IntakeParts) -> dict[str, WebhookSubmissions]:
    """The sources that have a webhook; raises `ProcedureError` for a map that cannot be used."""
    folder = parts.settings.organisation.parent
    maps = {source: load_webhook_map(context.source, folder) for source, context in parts.sources.contexts.items()}
    return {
        source: WebhookSubmissions(parts.reader, context, WebhookReader(webhook, context.zone))
        for source, context in parts.sources.contexts.items()
        if (webhook := maps[source]) is not None
    }


def register(service: Service, parts: IntakeParts) -> None:
    """Add the route; raises `Misconfigured` for a secret that the environment lacks."""
    sources = {
        source: api.WebhookSource(submissions, secrets(source, submissions.webhook_reader.webhook, os.environ))
        for source, submissions in webhook_submissions(parts).items()
    }
    register_group = group_registration(parts.registration, api.VIA_WEBHOOK)
    group_commit = GroupCommit(service.database, register_group, parts.settings.group_commit_items)
    api.add_routes(service.app, api.WebhookDependencies(parts, sources, group_commit, service.database, service.clock))


def secrets(source: str, webhook: WebhookMap, environment: Mapping[str, str]) -> list[bytes]:
    """The secrets of a source's signature; raises `Misconfigured`, which names the variable and never its value."""
    scheme = webhook.signature
    return [] if scheme is None else [_secret(source, scheme, name, environment) for name in scheme.secret_env]


def _secret(source: str, scheme: object, name: str, environment: Mapping[str, str]) -> bytes:
    text = environment.get(name, "")
    if not text:
        raise Misconfigured(f"{name}: is not set, and the webhook of source {source} needs it; set it to the secret of the other system")
    form = scheme.secret_encoding if isinstance(scheme, HmacSignature) else "text"
    try:
        return text.encode() if form == "text" else base64.b64decode(text, validate=True) if form == "base64" else bytes.fromhex(text)
    except (binascii.Error, ValueError):
        raise Misconfigured(f"{name}: is not {form}, as the webhook of source {source} says; correct it or secret_encoding") from None
