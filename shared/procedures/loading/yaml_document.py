"""Reads YAML files into plain data, with the line and the clause of each value."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML built without libyaml: slower, otherwise the same
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.procedure_error import FileProblem, ProcedureError

MAX_BYTES = 2_000_000
_MAX_NODES = 200_000
MAX_DEPTH = 100
"""Values inside values; the deepest pack has 9."""
_TAG_PREFIX = "tag:yaml.org,2002:"
_SCALARS: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
    "null": lambda _: None,
}


class _YamlLoader(_Base):
    """Reads scalars as YAML 1.2 does: `on`, `yes` and `12:30` are texts; PyYAML, by YAML 1.1, reads them as true, true and 750."""

    yaml_implicit_resolvers: dict[str, Any] = {}


_YamlLoader.add_implicit_resolver(_TAG_PREFIX + "bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF"))
_YamlLoader.add_implicit_resolver(_TAG_PREFIX + "int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_YamlLoader.add_implicit_resolver(
    _TAG_PREFIX + "float", re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"), list("-+.0123456789")
)
_YamlLoader.add_implicit_resolver(_TAG_PREFIX + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_YamlLoader.add_implicit_resolver(
    _TAG_PREFIX + "timestamp",
    re.compile(r"^\d{4}-\d\d-\d\d(?:[Tt ]\d{1,2}:\d\d:\d\d(?:\.\d*)?[ \t]*(?:Z|[-+]\d\d?(?::?\d\d)?)?)?$"),
    list("0123456789"),
)


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A YAML file: its plain data, and its nodes, which hold the line numbers."""

    path: Path
    data: Any
    root: yaml.Node | None

    def locate(self, yaml_path: YamlPath) -> tuple[YamlPath, int, str]:
        """The longest existing part of a path, its line (from 1), and the clause of the entry that contains it (empty if none)."""
        node, line, clause, existing = self.root, 1, "", list[str | int]()
        for step in (None, *yaml_path):
            if step is not None:
                key, child = _child(node, step)
                if child is None:  # pydantic's locations also name branches of unions
                    continue
                node, line = child, (key or child).start_mark.line + 1
                existing.append(step)
            clause = _clause_of(node) or clause
        return tuple(existing), line, clause

    def problem_at(self, yaml_path: YamlPath, message: str, *, severity: str = "error") -> FileProblem:
        """A problem of the value at a path."""
        _, line, clause = self.locate(yaml_path)
        return FileProblem(display_path(self.path), line, clause, message, "warning" if severity == "warning" else "error")


def read_yaml(path: Path) -> YamlDocument:
    """Read a YAML file; raises `ProcedureError` if it is missing, too large or invalid, or has a duplicate key."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProcedureError(
            [FileProblem(display_path(path), 1, "", f"cannot be read: {error.strerror}; check the path and its permissions")]
        ) from error
    if len(content) > MAX_BYTES:
        raise ProcedureError([FileProblem(display_path(path), 1, "", f"has {len(content)} bytes; a file may have {MAX_BYTES}")])
    try:
        text = content.decode()
        check_depth(text)
        root = yaml.compose(text, Loader=_YamlLoader)
    except UnicodeDecodeError as error:
        raise ProcedureError([FileProblem(display_path(path), 1, "", "is not UTF-8; save it as UTF-8")]) from error
    except yaml.YAMLError as error:
        raise ProcedureError([_syntax_problem(path, error)]) from error
    converter = _NodeConverter(path)
    data = converter.convert(root)
    if converter.problems:
        raise ProcedureError(converter.problems)
    return YamlDocument(path, data, root)


def check_depth(text: str) -> None:
    """Raise `yaml.YAMLError` if values are nested more than `MAX_DEPTH` deep."""
    # libyaml's composer recurses in C: a file of brackets alone would end the process with a segmentation fault.
    depth = 0
    for event in yaml.parse(text, Loader=_YamlLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark  # the C parser's marks have a class of their own
                raise yaml.MarkedYAMLError(problem=f"values are nested more than {MAX_DEPTH} deep", problem_mark=mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def display_path(path: Path) -> str:
    """A path for messages: relative to the current folder if it is inside."""
    here = Path.cwd()
    return str(path.resolve().relative_to(here)) if path.resolve().is_relative_to(here) else str(path)


class _NodeConverter:
    """Converts YAML nodes to plain data and collects their problems."""

    def __init__(self, path: Path) -> None:
        self.path, self.problems, self.nodes = path, list[FileProblem](), 0
        self.scalars = _YamlLoader("")
        self.open: list[yaml.Node] = []  # the lists and mappings around the present node

    def convert(self, node: yaml.Node | None) -> Any:
        """The plain data of a node; None with a problem if it cannot be converted."""
        self.nodes += 1  # an alias counts as often as it is used: nested aliases could expand to billions of values
        if node is None or self.nodes > _MAX_NODES:
            self._report(node, "the file is empty" if node is None else f"more than {_MAX_NODES} values; do not nest aliases")
            return None
        return self._collection(node) if isinstance(node, yaml.CollectionNode) else self._scalar(node)

    def _collection(self, node: yaml.CollectionNode) -> Any:
        if node in self.open:
            self._report(node, "contains an alias of itself; write the value out instead")
            return None
        if len(self.open) == MAX_DEPTH:  # reached by aliases: `check_depth` refuses the rest
            self._report(node, f"values are nested more than {MAX_DEPTH} deep; do not nest aliases")
            return None
        self.open.append(node)
        data = self._mapping(node) if isinstance(node, yaml.MappingNode) else [self.convert(item) for item in node.value]
        self.open.pop()
        return data

    def _mapping(self, node: yaml.MappingNode) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_node, "a key has to be plain text; write it without brackets")
                continue
            key = self._scalar(key_node)
            if key in mapping:
                self._report(key_node, f"duplicate key «{key}» (first on line {lines[key]}); keep one")
            mapping[key], lines[key] = self.convert(value_node), key_node.start_mark.line + 1
        return mapping

    def _scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix(_TAG_PREFIX)
        if kind == "str":
            return node.value
        if kind in _SCALARS:
            try:
                return _SCALARS[kind](node.value)
            except ValueError:  # Python reads integers of at most 4,300 digits
                self._report(node, f"a number of {len(node.value)} digits is too long; write it shorter, or as text in quotes")
                return None
        if kind == "timestamp" and isinstance(node, yaml.ScalarNode):
            return self._instant(node)
        self._report(node, f"the tag {node.tag} is not allowed; remove it")
        return None

    def _instant(self, node: yaml.ScalarNode) -> date | datetime | None:
        try:
            instant: date | datetime = self.scalars.construct_yaml_timestamp(node)
        except ValueError as error:
            self._report(node, f"{node.value} is not a date: {error}; write 2026-09-24 or 2026-09-24T16:40:00+08:00")
            return None
        return instant

    def _report(self, node: yaml.Node | None, message: str) -> None:
        self.problems.append(FileProblem(display_path(self.path), node.start_mark.line + 1 if node else 1, "", message))


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), (None, None))
    return None, None


def _clause_of(node: yaml.Node | None) -> str:
    _, clause = _child(node, "clause")
    if isinstance(clause, yaml.SequenceNode) and clause.value:
        clause = clause.value[0]
    return str(clause.value) if isinstance(clause, yaml.ScalarNode) else ""


def _syntax_problem(path: Path, error: yaml.YAMLError) -> FileProblem:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error)
    return FileProblem(
        display_path(path), mark.line + 1 if mark else 1, "", f"is not valid YAML: {reason}; check indentation, quotes and brackets"
    )
