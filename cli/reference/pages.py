"""The reference pages, each made from what the code and the packs declare."""

import typing
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from cli.reference import declared
from cli.reference.env_example import env_example
from shared.contracts.actions import ACTIONS, ActionData
from shared.contracts.topics import TOPICS, department_topic
from shared.procedures.coverage import coverage
from shared.procedures.loading.loader import installed, load_pack

_DAY_MS = 86_400_000
GENERATED = "<!-- Written by `make docs`; change the code or the pack instead. -->"


def metrics_page() -> str:
    """Every metric by owner."""
    found = declared.declared_metrics()
    parts = [_page_header("Metrics", "What `/metrics` exports. Label values come from closed lists, procedures or the organisation.")]
    for owner, owned in groupby(found, key=lambda metric: metric.owner):
        rows = [(f"`{m.series_names[0]}`" if m.kind == "counter" else f"`{m.name}`", m.kind, _codes(m.labels), m.help) for m in owned]
        parts += [f"## {_capital(owner)}", _table(("metric", "kind", "labels", "meaning"), rows)]
    return _page(parts)


def settings_page() -> str:
    """Every environment variable by owner."""
    found = sorted(declared.declared_settings(), key=lambda setting: (setting.owner != declared.ALL_SERVICES, setting.owner))
    parts = [_page_header("Settings", "Environment variables, read when a process starts; `.env.example` holds them all.")]
    for owner, owned in groupby(found, key=lambda setting: setting.owner):
        rows = [(f"`{s.variable}`", "secret" if s.secret else _code(s.default), s.help) for s in owned]
        parts += [f"## {_capital(owner)}", _table(("variable", "default", "meaning"), rows)]
    return _page(parts)


def topics_page() -> str:
    """The registry of topics."""
    listed = [*TOPICS.values(), department_topic("<id>")]
    rows = [
        (
            f"`{t.name}`",
            t.key,
            _comma_separated(t.producers),
            _comma_separated(t.consumers),
            t.carries,
            str(t.partitions),
            f"{t.retention_ms // _DAY_MS} d",
        )
        for t in listed
    ]
    head = _page_header("Topics", "`jiesu topics apply` creates them so; `external` stands for whoever is not a service of ours.")
    return _page([head, _table(("topic", "key", "from", "to", "carries", "partitions", "kept"), rows)])


def actions_page() -> str:
    """Actions with their data and the events that they cause."""
    rows = [
        (f"`{name}`", _codes(kind.needs), f"`{kind.event}`" + (f", if not passed `{kind.fails}`" if kind.fails else ""))
        for name, kind in ACTIONS.items()
    ]
    fields = [(f"`{info.alias or name}`", _type(info.annotation)) for name, info in ActionData.model_fields.items()]
    parts = [
        _page_header(
            "Actions",
            "What a person or system may ask for on `case-actions` or by HTTP. Which role may, and when, is the procedure's. "
            "The events are described on the page that `make schemas` writes.",
        ),
        _table(("action", "needs", "event"), rows),
        "## Data",
        _table(("field", "type"), fields),
    ]
    return _page(parts)


def clauses_page() -> str:
    """Every clause of every installed procedure, in both languages, with what carries it out."""
    parts = [_page_header("Clauses", "Every clause of the installed regulations in our own words, and the entries that carry it out.")]
    for pack_id in installed():
        pack = load_pack(pack_id)
        rows = [
            (row.clause, pack.clauses[row.clause].zh, pack.clauses[row.clause].en, row.uncovered or _codes(sorted(set(row.entries))))
            for row in coverage(pack).clauses
            if row.clause in pack.clauses
        ]
        title = f"{pack.procedure.title.zh} · {pack.procedure.title.en} · version {pack.procedure.version}"
        parts += [
            f"## {pack_id}",
            title,
            _table(("clause", "中文", "English", "carried out by"), rows),
        ]
    return _page(parts)


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/metrics.md": metrics_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/topics.md": topics_page,
    "docs/reference/actions.md": actions_page,
    "docs/reference/clauses.md": clauses_page,
    ".env.example": env_example,
}
"""File, relative to the checkout → its text."""


def _page_header(title: str, sentence: str) -> str:
    return f"# {title}\n\n{GENERATED}\n\n{sentence}"


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def _type(annotation: Any) -> str:
    """A field's type in the words of JSON."""
    origin, given = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(given[0])
    if origin in (list, tuple):
        return f"list of {_type(given[0])}"
    if origin is dict:
        return "object"
    if origin is typing.Literal:
        return "one of " + _codes([str(choice) for choice in given if choice != ""])
    if given:
        return " or ".join(dict.fromkeys(_type(choice) for choice in given if choice is not type(None)))
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any"}
    return names.get(annotation, "instant" if "datetime" in str(annotation).lower() else "object")


def _comma_separated(names: Sequence[str]) -> str:
    return ", ".join(names)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
