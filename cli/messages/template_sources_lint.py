"""Checks the sources of message templates: syntax, names, values, translations, headers."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from services.notify.domain.message_templates import EMPTY_VALUES, LANGUAGES, MessageTemplates, template_language

VALUES = frozenset({*EMPTY_VALUES, "number", "case", "at", "about", "class", "department", "procedure", "contact_name", "contact_phone"})
"""The values of every message; others exist in some messages only, and need the test `is defined` or the filter `default`."""


@dataclass(frozen=True, slots=True)
class MessageFinding:
    """A fault of a template or a message: where, the rule and the remedy; a `warning` does not fail the check."""

    level: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.message}"


def lint_sources(
    sources: Mapping[str, str], names: Collection[str], asked_for: Collection[str], channels: Collection[str]
) -> Iterator[MessageFinding]:
    """Findings for the templates `names` of `sources`; `asked_for` are the names (without language and channel) that requests look for."""
    environment = MessageTemplates({}).environment
    for name in sorted(names):
        file = f"{name}.j2"
        yield from _lint_syntax(environment, file, sources[name], sources)
        if name.startswith("_"):
            continue
        base, channel = name.rpartition(".")[0].rpartition(".")[0], name.rpartition(".")[2]
        if not base or not template_language(name) or channel not in channels:
            names_text = f"<name>.<{' or '.join(LANGUAGES)}>.<{' or '.join(sorted(channels))}>.j2"
            yield MessageFinding("error", file, f"no message has a template of this name; write {names_text}")
            continue
        yield from _lint_name(file, base, asked_for)
        for language in LANGUAGES:
            if (other := f"{base}.{language}.{channel}") not in sources:
                yield MessageFinding(
                    "warning", file, f"the translation {other}.j2 is missing, its readers get the general text; add the file"
                )
        if channel in ("email", "chat"):
            yield from _lint_header(file, sources[name])


def _lint_name(file: str, base: str, asked_for: Collection[str]) -> Iterator[MessageFinding]:
    if base in asked_for:
        return
    near = get_close_matches(base, asked_for, n=1)
    remedy = f"rename it to {near[0]}" if near else "name it <procedure>.<entry>, or as a kind of message in docs/how-to/messages.md"
    yield MessageFinding("error", file, f"no request asks for {base}, so that it is never sent; {remedy}")


def _lint_syntax(environment: Environment, file: str, source: str, sources: Mapping[str, str]) -> Iterator[MessageFinding]:
    try:
        tree = environment.parse(source)
        environment.compile(source)
    except TemplateSyntaxError as error:
        yield MessageFinding("error", f"{file}, line {error.lineno}", f"is not valid Jinja: {error.message}; correct it")
        return
    for included in meta.find_referenced_templates(tree):
        if included is None or included not in sources:
            yield MessageFinding("error", file, f"includes {included or 'a computed name'}, which is no template; correct the name")
    tested = _tested_names(tree)
    for name in sorted(meta.find_undeclared_variables(tree) - VALUES - tested):
        near = get_close_matches(name, VALUES, n=1)
        remedy = f"write {near[0]}" if near else f"test it: {{% if {name} is defined %}}"
        yield MessageFinding("error", f"{file}, line {_line_of(tree, name)}", f"no message has the value {name}; {remedy}")


def _tested_names(tree: nodes.Template) -> set[str]:
    """The names that the template sets, tests for existence or gives a default, and those behind such a test: they come together."""
    tests = [test.node for test in tree.find_all(nodes.Test) if test.name in ("defined", "undefined")]
    defaults = [each.node for each in tree.find_all(nodes.Filter) if each.name in ("default", "d")]
    guarded = [name for branch in tree.find_all(nodes.If) if _tests_existence(branch.test) for part in branch.body for name in _names(part)]
    assigned = [name for name in tree.find_all(nodes.Name) if name.ctx == "store"]
    return {node.name for node in (*tests, *defaults, *guarded, *assigned) if isinstance(node, nodes.Name)}


def _tests_existence(condition: nodes.Node) -> bool:
    tests = [condition, *condition.find_all(nodes.Test)]
    return any(isinstance(test, nodes.Test) and test.name == "defined" for test in tests)


def _names(part: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(part, nodes.Name):
        yield part
    yield from part.find_all(nodes.Name)


def _line_of(tree: nodes.Template, name: str) -> int:
    return next(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)


def _lint_header(file: str, source: str) -> Iterator[MessageFinding]:
    """The first line is the subject: an empty second line keeps a reader of the file from taking the first sentence for it."""
    first, _, rest = source.partition("\n")
    if not first.strip():
        yield MessageFinding("error", file, "the first line is the subject and is empty; begin with the subject")
    elif rest and rest.partition("\n")[0].strip():
        yield MessageFinding("warning", file, "the first line is the subject; leave the second line empty")
