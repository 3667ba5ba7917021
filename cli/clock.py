"""The instant and the time zone that commands use."""

from datetime import datetime
from zoneinfo import ZoneInfo

from shared.runtime.clock import Clock
from shared.runtime.process.settings import RuntimeSettings

REPORT_ZONE = ZoneInfo("Asia/Shanghai")
"""The zone in which reports and seals begin a day, month or year."""


def current_instant() -> datetime:
    """The current instant of the clock on which the services run (JIESU_CLOCK)."""
    settings = RuntimeSettings()
    return Clock.parse(settings.clock, settings.environment).now()
