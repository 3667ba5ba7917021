"""Finds the metrics and settings that the code declares; reference pages and tests are generated from them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from cli.service_names import SERVICES
from shared.runtime.process import metrics as runtime_metrics
from shared.runtime.process.measured_gauge import SharedGauge
from shared.runtime.process.settings import RuntimeSettings

ALL_SERVICES = "every service"
UNITS = ("seconds", "bytes", "ratio")
"""Base units in Prometheus' sense; a counter of seconds ends with `_seconds_total`."""
_STATES = frozenset(
    {
        "jiesu_ready",
        "jiesu_degraded",
        "jiesu_database_up",
        "jiesu_intake_mailbox_up",
        "jiesu_notify_provider_open",
        "jiesu_retention_last_run_failed",
    }
)


@dataclass(frozen=True, slots=True)
class DeclaredMetric:
    """A metric: `owner` is a service or `every service`, `kind` counter, gauge or histogram; PromQL may use `series_names`.

    `shared`: one elected process of the service exports it, since the database counts it.
    """

    owner: str
    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    series_names: tuple[str, ...]
    shared: bool = False

    @property
    def unit(self) -> str:
        """The base unit that the name ends with; `count` for numbers of things, `0 or 1` for states."""
        last = self.name.rsplit("_", 1)[-1]
        return "0 or 1" if self.name in _STATES else last if last in UNITS else "count"


@dataclass(frozen=True, slots=True)
class DeclaredSetting:
    """An environment variable: `owner` as for metrics, or several services; `default` as in an environment file."""

    owner: str
    variable: str
    default: str
    secret: bool
    help: str


def declared_metrics() -> list[DeclaredMetric]:
    """The metrics of the runtime, then those of each service."""
    modules = [(ALL_SERVICES, runtime_metrics)] + [(name, module) for name in sorted(SERVICES) if (module := _module(name, "metrics"))]
    return [metric for owner, module in modules for metric in _metrics(owner, module)]


def declared_settings() -> list[DeclaredSetting]:
    """The settings of all services, then those that each service adds."""
    settings = [_setting(ALL_SERVICES, name, field) for name, field in RuntimeSettings.model_fields.items()]
    for service in sorted(SERVICES):
        module = _module(service, "config")
        for value in vars(module).values() if module else ():
            # Not those that the module imports: a transport's settings are inherited by the service's.
            if isinstance(value, type) and issubclass(value, RuntimeSettings) and value.__module__ == module.__name__:
                added = {name: field for name, field in value.model_fields.items() if name not in RuntimeSettings.model_fields}
                settings += [_setting(service, name, field) for name, field in added.items()]
    return _merge_shared_settings(settings)


def settings_by_owner() -> list[DeclaredSetting]:
    """The declared settings, sorted by owner; those of all services come first."""
    return sorted(declared_settings(), key=lambda setting: (setting.owner != ALL_SERVICES, setting.owner))


def _merge_shared_settings(settings: list[DeclaredSetting]) -> list[DeclaredSetting]:
    """One setting, with all its owners, for a variable that several services read."""
    merged: dict[str, DeclaredSetting] = {}
    for setting in settings:
        earlier = merged.get(setting.variable)
        merged[setting.variable] = replace(earlier, owner=f"{earlier.owner}, {setting.owner}") if earlier else setting
    return list(merged.values())


def _module(service: str, name: str) -> Any:
    path = f"services.{service}.{name}"
    return import_module(path) if find_spec(path) else None


def _metrics(owner: str, module: Any) -> Iterator[DeclaredMetric]:
    for value in vars(module).values():
        if isinstance(value, MetricWrapperBase):
            [family] = value.describe()
            labels = tuple(value._labelnames)  # noqa: SLF001 - a metric without samples does not show its labels otherwise
            series = _series_names(family.name, family.type)
            shared = isinstance(value, SharedGauge)
            yield DeclaredMetric(owner, family.name, family.type, labels, family.documentation, series, shared)


def _series_names(name: str, kind: str) -> tuple[str, ...]:
    # prometheus_client's names: of a counter and a histogram there is no series with the name of the metric itself.
    match kind:
        case "counter":
            return (f"{name}_total",)
        case "histogram":
            return (f"{name}_bucket", f"{name}_count", f"{name}_sum")
        case _:
            return (name,)


def _setting(owner: str, name: str, field: FieldInfo) -> DeclaredSetting:
    alias = field.validation_alias
    variable = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"JIESU_{name}".upper()
    default = field.get_default()
    return DeclaredSetting(owner, variable, _format_default(default), isinstance(default, SecretStr), field.description or "")


def _format_default(default: Any) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, tuple | list):
        return "[" + ",".join(f'"{item}"' for item in default) + "]"
    return "" if default is None else str(default)
