"""The variables that an installation has to pass to a service, from the services' settings."""

import re
from importlib import import_module

from pydantic import AliasChoices

from shared.runtime.process.setting_faults import variable_name
from shared.runtime.process.settings import RuntimeSettings

_SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY$|_KEYS$|DATABASE_URL")


def service_settings(service: str) -> type[RuntimeSettings]:
    """The type of a service's settings."""
    found: type[RuntimeSettings] = getattr(import_module(f"services.{service}.config"), f"{service.capitalize()}Settings")
    return found


def variable_of(settings: type[RuntimeSettings], field: str) -> str:
    """The environment variable of a setting; raises KeyError for one that does not exist."""
    alias = settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else variable_name(field)


def production_variables(service: str) -> set[str]:
    """The variables that the service needs in production."""
    settings = service_settings(service)
    return {variable_of(settings, field) for field in settings.production_fields}


def is_secret(variable: str) -> bool:
    """Whether the value of a variable may stand in no file."""
    return _SECRET.search(variable) is not None
