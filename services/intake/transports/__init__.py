"""What brings submissions: each transport is a folder, with one line in `TRANSPORTS`."""

from collections.abc import Callable

from services.intake.application.parts import IntakeParts
from services.intake.transports import mail
from shared.runtime.service import Service

TRANSPORTS: tuple[Callable[[Service, IntakeParts], None], ...] = (mail.register,)
"""Each adds its loops and routes to the service; it adds nothing if it is not configured."""
