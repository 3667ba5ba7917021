"""The environment of each process of the stack: all settings, but only the secrets that the process uses."""

import os
from collections.abc import Mapping

from pydantic import AliasChoices, SecretStr

from services.desk.config import DeskSettings
from services.intake.config import IntakeSettings
from services.notify.config import NotifySettings
from services.sla.config import SlaSettings
from services.triage.config import TriageSettings
from shared.runtime.process.setting_faults import variable_name
from shared.runtime.process.settings import RuntimeSettings

SETTINGS_BY_SERVICE: dict[str, type[RuntimeSettings]] = {
    "intake": IntakeSettings,
    "triage": TriageSettings,
    "sla": SlaSettings,
    "notify": NotifySettings,
    "desk": DeskSettings,
}
_SEALING_KEYS = "JIESU_SEALING_KEYS"
_SEALING_KEY_USERS = frozenset({"intake", "sla", "notify"})
"""intake encrypts contacts, notify and sla decrypt them: for messages, and for people with the right to see them; triage reads none."""
_SINK_VARIABLES = frozenset({"JIESU_SMS_TOKEN", "JIESU_SMS_RECEIPT_SECRET"})
"""The sinks play the gateway of text messages: they check the token and sign the receipts."""


def process_environment(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The part of the settings that a service, or the sinks, gets."""
    if name not in SETTINGS_BY_SERVICE:
        return {variable: value for variable, value in settings.items() if variable in _SINK_VARIABLES}
    own = _secret_variables(SETTINGS_BY_SERVICE[name]) - (set() if name in _SEALING_KEY_USERS else {_SEALING_KEYS})
    foreign = set().union(*map(_secret_variables, SETTINGS_BY_SERVICE.values())) - own
    return {variable: value for variable, value in settings.items() if variable not in foreign}


def inherited_settings() -> dict[str, str]:
    """The settings that the environment of this command holds."""
    return {name: value for name, value in os.environ.items() if name.startswith("JIESU_")}


def _secret_variables(settings: type[RuntimeSettings]) -> set[str]:
    secrets = {name: field for name, field in settings.model_fields.items() if field.annotation is SecretStr}
    aliases = {name: field.validation_alias for name, field in secrets.items()}
    return {str(alias.choices[0]) if isinstance(alias, AliasChoices) else variable_name(name) for name, alias in aliases.items()}
