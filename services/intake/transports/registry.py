"""The transports of the service: each is a folder, with one line here."""

from collections.abc import Callable

from services.intake.application.parts import IntakeParts
from services.intake.transports.imports import setup as imports
from services.intake.transports.mail import setup as mail
from services.intake.transports.web_form import setup as web_form
from services.intake.transports.webhooks import setup as webhooks
from shared.runtime.service import Service

TRANSPORTS: tuple[Callable[[Service, IntakeParts], None], ...] = (
    imports.register,
    mail.register,
    web_form.register,
    webhooks.register,
)
"""Each adds its routes and loops to the service."""
