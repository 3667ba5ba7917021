"""Generates the reference pages from what the code and the packs declare."""

import typing
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from cli.messages import message_pages
from cli.messages.pack_messages import pack_messages
from cli.reference import declared
from cli.reference.checkout import require_checkout
from cli.reference.env_example import env_example, known_variables
from cli.reference.list_pages import list_page
from cli.reference.metric_uses import describe_uses, uses_by_metric
from shared.contracts.actions import ACTION_DEFINITIONS, ActionData
from shared.contracts.topics import CREATED_TOPICS, department_topic
from shared.procedures.coverage import pack_coverage
from shared.procedures.explain.page import build_page
from shared.procedures.explain.rendering.markdown_page import render_markdown
from shared.procedures.loading.loader import PACKS_FOLDER, installed_packs, load_pack
from shared.procedures.model.procedure import LanguageCode
from shared.procedures.model.wording import PLACEHOLDERS

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
GENERATED = "<!-- Written by `make docs`; change the code or the pack instead. -->"


_METRICS_INTRO = """\
What `/metrics` exports, as text or, with exemplars (the id of the trace), as OpenMetrics for a scraper that accepts that.
Label values come from closed lists, procedures or the organisation, never from complaints; names that are on none of them count as `other`.

`one process`: the database counts it, so the elected process of the service exports it, and after its death another one within five
seconds; nobody else has the series, so `sum` over the processes is right. `each process`: its own share; sum counters and counts, and take
the maximum of ages.
"""


def metrics_page() -> str:
    """Every metric by owner, with what reads it."""
    listed = declared.declared_metrics()
    uses = uses_by_metric(require_checkout(), listed)
    parts = [_page_header("Metrics", _METRICS_INTRO)]
    for owner, metrics in groupby(listed, key=lambda metric: metric.owner):
        rows = [
            (
                _code(m.series_names[0] if m.kind == "counter" else m.name),
                m.kind,
                m.unit,
                _codes(m.labels),
                "one process" if m.shared else "each process",
                m.help,
                describe_uses(uses.get(m.name, ())),
            )
            for m in metrics
        ]
        parts += [f"## {_capital(owner)}", _table(("metric", "kind", "unit", "labels", "exported by", "meaning", "read by"), rows)]
    return _page(parts)


def settings_page() -> str:
    """Every environment variable by owner."""
    parts = [_page_header("Settings", "Environment variables, read when a process starts; `.env.example` holds them all.")]
    for owner, settings in groupby(declared.settings_by_owner(), key=lambda setting: setting.owner):
        rows = [(_code(s.variable), "secret" if s.secret else _code(s.default), s.help) for s in settings]
        parts += [f"## {_capital(owner)}", _table(("variable", "default", "meaning"), rows)]
    return _page(parts)


def topics_page() -> str:
    """The registry of topics."""
    rows = [
        (
            _code(topic.name),
            topic.record_key,
            ", ".join(topic.producers),
            ", ".join(topic.consumers),
            topic.description,
            str(topic.partitions),
            _retention(topic.retention_ms),
        )
        for topic in [*CREATED_TOPICS, department_topic("<id>")]
    ]
    header = _page_header("Topics", "`jiesu topics apply` creates them; `external` is any program outside this platform.")
    return _page([header, _table(("topic", "key", "from", "to", "carries", "partitions", "kept"), rows)])


def _retention(milliseconds: int) -> str:
    days = milliseconds // _DAY_MS
    return f"{days} d" if days else f"{milliseconds // _HOUR_MS} h"


def actions_page() -> str:
    """Actions with their data and the events that they cause."""
    rows = [
        (
            _code(name),
            ", ".join(each for each in (_codes(action.required_data), " or ".join(map(_code, action.one_of))) if each),
            _code(action.event_id) + (f", if not passed `{action.event_id_if_not_passed}`" if action.event_id_if_not_passed else ""),
        )
        for name, action in ACTION_DEFINITIONS.items()
    ]
    fields = [(_code(info.alias or name), _format_type(info.annotation)) for name, info in ActionData.model_fields.items()]
    parts = [
        _page_header(
            "Actions",
            "What a person or system may request on `case-actions` or by HTTP. The procedure decides which role may, and when. "
            "`make schemas` writes the page that describes the events.",
        ),
        _table(("action", "needs", "event"), rows),
        "## Data",
        _table(("field", "type"), fields),
    ]
    return _page(parts)


def clauses_page() -> str:
    """Every clause of every installed procedure in both languages, with the entries that implement it."""
    parts = [_page_header("Clauses", "Every clause of the installed regulations, summarised, and the entries that implement it.")]
    for pack_id in installed_packs():
        pack = load_pack(pack_id)
        rows = [
            (row.clause, pack.clauses[row.clause].zh, pack.clauses[row.clause].en, row.uncovered_reason or _codes(sorted(set(row.entries))))
            for row in pack_coverage(pack).clauses
            if row.clause in pack.clauses
        ]
        title = f"{pack.procedure.title.zh} · {pack.procedure.title.en} · version {pack.procedure.version}"
        parts += [
            f"## {pack_id}",
            title,
            _table(("clause", "中文", "English", "implemented by"), rows),
        ]
    return _page(parts)


def explanation_page(pack_id: str, language: LanguageCode) -> str:
    """The page of a pack, clause by clause, in one language."""
    pack = load_pack(pack_id)
    return render_markdown(build_page(pack.procedure, pack.clauses, language), GENERATED)


def messages_page() -> str:
    """The placeholders of wordings, and the pages of the installed packs' messages."""
    known = {
        "case": "always",
        "clock": "in the entries of a clock",
        "event": "where every event that triggers the entry has the field",
        "history": "once it has happened",
        "follow": "to the complainant, where the organisation has that page (in brackets)",
    }
    rows = [(_code(f"{{{p.name}}}"), p.zh, p.en, known[p.source]) for p in PLACEHOLDERS.values()]
    links = [f"- [{load_pack(pack_id).procedure.title.en}](messages/{pack_id}.md)" for pack_id in _own_packs()]
    parts = [
        _page_header(
            "Messages",
            "What a `text:` of a message may name in braces, and when it is known. A part in brackets may also name what only some of the "
            "events have, or what may have happened before; it is left out without a value.",
        ),
        _table(("placeholder", "中文", "meaning", "known"), rows),
        "## Messages of the installed regulations",
        "\n".join(links),
    ]
    return _page(parts)


def _pack_messages_page(pack_id: str) -> str:
    pack = load_pack(pack_id)
    return message_pages.messages_page(pack, pack_messages(pack), GENERATED)


def _own_packs() -> list[str]:
    """The ids of the packs of this checkout, without those of JIESU_PACKS."""
    return sorted(path.parent.name for path in PACKS_FOLDER.glob("*/procedure.yaml"))


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/metrics.md": metrics_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/topics.md": topics_page,
    "docs/reference/actions.md": actions_page,
    "docs/reference/clauses.md": clauses_page,
    "docs/reference/lists.md": list_page,
    "docs/reference/messages.md": messages_page,
    **{f"docs/reference/messages/{pack_id}.md": partial(_pack_messages_page, pack_id) for pack_id in _own_packs()},
    ".env.example": env_example,
    "shared/runtime/process/variables.txt": known_variables,
    **{
        f"docs/reference/procedures/{pack_id}.{language}.md": partial(explanation_page, pack_id, language)
        for pack_id in _own_packs()
        for language in typing.get_args(LanguageCode)
    },
}
"""Path in the checkout → the function that generates the text."""


def _page_header(title: str, sentence: str) -> str:
    return f"# {title}\n\n{GENERATED}\n\n{sentence}"


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    # In Markdown a bar ends the cell and a line feed the row.
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def _format_type(annotation: Any) -> str:
    """A field's type as plain text, in the terms of JSON."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _format_type(arguments[0])
    if origin in (list, tuple):
        return f"list of {_format_type(arguments[0])}"
    if origin is dict:
        return "object"
    if origin is typing.Literal:
        return "one of " + _codes([str(value) for value in arguments if value != ""])
    if arguments:
        return " or ".join(dict.fromkeys(_format_type(branch) for branch in arguments if branch is not type(None)))
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any"}
    return names.get(annotation, "instant" if "datetime" in str(annotation).lower() else "object")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(_code, names))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
