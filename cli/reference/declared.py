"""What the code itself declares: metrics, settings, topics, events, clauses; pages and tests are made from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from cli.service_names import SERVICES
from shared.runtime.process import metrics as machinery
from shared.runtime.process.settings import RuntimeSettings

ALL_SERVICES = "every service"


@dataclass(frozen=True, slots=True)
class DeclaredMetric:
    """One metric: `owner` is a service or `every service`, `kind` counter, gauge or histogram, `series` what PromQL may name."""

    owner: str
    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    series_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeclaredSetting:
    """One environment variable: `owner` as for metrics, `default` as it is written in an environment file."""

    owner: str
    variable: str
    default: str
    secret: bool
    help: str


def declared_metrics() -> list[DeclaredMetric]:
    """The machinery's metrics, then each service's."""
    owned = [(ALL_SERVICES, machinery)] + [(name, module) for name in sorted(SERVICES) if (module := _module(name, "metrics"))]
    return [metric for owner, module in owned for metric in _metrics(owner, module)]


def declared_settings() -> list[DeclaredSetting]:
    """The settings that all share, then those that each service adds."""
    found = [_setting(ALL_SERVICES, name, field) for name, field in RuntimeSettings.model_fields.items()]
    for service in sorted(SERVICES):
        module = _module(service, "config")
        for kind in vars(module).values() if module else ():
            if isinstance(kind, type) and issubclass(kind, RuntimeSettings) and kind is not RuntimeSettings:
                added = {name: field for name, field in kind.model_fields.items() if name not in RuntimeSettings.model_fields}
                found += [_setting(service, name, field) for name, field in added.items()]
    return _merge_shared_settings(found)


def _merge_shared_settings(found: list[DeclaredSetting]) -> list[DeclaredSetting]:
    """A variable that several services read is one setting of all of them."""
    owners: dict[str, list[str]] = {}
    for setting in found:
        owners.setdefault(setting.variable, []).append(setting.owner)
    first = {setting.variable: setting for setting in reversed(found)}
    return [
        DeclaredSetting(", ".join(names), variable, first[variable].default, first[variable].secret, first[variable].help)
        for variable, names in owners.items()
    ]


def _module(service: str, name: str) -> Any:
    path = f"services.{service}.{name}"
    return import_module(path) if find_spec(path) else None


def _metrics(owner: str, module: Any) -> Iterator[DeclaredMetric]:
    for value in vars(module).values():
        if isinstance(value, MetricWrapperBase):
            [family] = value.describe()
            yield DeclaredMetric(
                owner, family.name, family.type, tuple(value._labelnames), family.documentation, _series(family.name, family.type)
            )


def _series(name: str, kind: str) -> tuple[str, ...]:
    match kind:
        case "counter":
            return (f"{name}_total", f"{name}_created")
        case "histogram":
            return (f"{name}_bucket", f"{name}_count", f"{name}_sum", f"{name}_created")
        case _:
            return (name,)


def _setting(owner: str, name: str, field: FieldInfo) -> DeclaredSetting:
    alias = field.validation_alias
    variable = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"JIESU_{name}".upper()
    default = field.get_default()
    secret = isinstance(default, SecretStr)
    return DeclaredSetting(owner, variable, _format_default(default), secret, field.description or "")


def _format_default(default: Any) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, tuple | list):
        return "[" + ",".join(f'"{item}"' for item in default) + "]"
    return "" if default is None else str(default)
