"""Classifies changes of a JSON Schema by what they break.

A change breaks backward where new code cannot read old messages, forward where old code cannot read new messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

_UPPER_BOUNDS = ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties")
_LOWER_BOUNDS = ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties")
BrokenDirection = Literal["", "backward", "forward", "both"]
_BROKEN_PARTIES = {
    "backward": "consumers that read old messages",
    "forward": "consumers that are not yet updated",
    "both": "every consumer",
}


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A change of a message type, and the direction that it breaks."""

    type: str
    description: str
    breaks_direction: BrokenDirection = ""

    @property
    def broken_parties(self) -> str:
        """The consumers that the change breaks."""
        return _BROKEN_PARTIES.get(self.breaks_direction, "no consumer")


def schema_changes(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[SchemaChange]:
    """The changes between two schemas of one type; descriptions are ignored."""
    changes = _compare(_SchemaNode(old), _SchemaNode(new), "")
    return [SchemaChange(name, f"{path or 'the body'} {description}", breaks) for path, description, breaks in changes]


@dataclass(frozen=True, slots=True)
class _SchemaNode:
    """A schema and the document that its references point into."""

    document: dict[str, Any]
    node: Any = None

    def resolve(self) -> dict[str, Any]:
        """The schema, with references followed."""
        node = self.document if self.node is None else self.node
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node if isinstance(node, dict) else {}

    def sibling(self, node: Any) -> "_SchemaNode":
        """Another schema of the same document."""
        return _SchemaNode(self.document, node)


_NodeChange = tuple[str, str, BrokenDirection]
"""Path, description, broken direction."""
_MAX_DEPTH = 8
"""No model nests deeper; a schema that refers to itself ends here."""


def _compare(old: _SchemaNode, new: _SchemaNode, path: str, depth: int = 0) -> Iterator[_NodeChange]:
    if depth > _MAX_DEPTH:
        return
    before, after = old.resolve(), new.resolve()
    yield from _type_changes(before, after, path)
    yield from _bound_changes(before, after, path)
    yield from _field_changes(old, new, path, depth)
    if "items" in before and "items" in after:
        yield from _compare(old.sibling(before["items"]), new.sibling(after["items"]), f"{path}[]", depth + 1)
    for number, (branch, new_branch) in enumerate(zip(before.get("anyOf", ()), after.get("anyOf", ()), strict=False)):
        if "null" not in (branch.get("type"), new_branch.get("type")):
            yield from _compare(old.sibling(branch), new.sibling(new_branch), f"{path}|{number}" if number else path, depth + 1)


def _field_changes(old: _SchemaNode, new: _SchemaNode, path: str, depth: int) -> Iterator[_NodeChange]:
    before, after = old.resolve(), new.resolve()
    old_fields, new_fields = before.get("properties", {}), after.get("properties", {})
    old_required, new_required = set(before.get("required", ())), set(after.get("required", ()))
    old_is_strict = before.get("additionalProperties") is False
    new_is_strict = after.get("additionalProperties") is False
    for name in sorted(new_fields.keys() - old_fields.keys()):
        breaks: BrokenDirection = "backward" if name in new_required else ""
        yield f"{path}.{name}", "is new and required" if breaks else "is new", "both" if breaks and old_is_strict else breaks
    for name in sorted(old_fields.keys() - new_fields.keys()):
        # Old consumers rely on a required field; a strict model refuses old messages that still have it.
        required = name in old_required
        yield f"{path}.{name}", "is gone", "forward" if required and not new_is_strict else "both" if required else "backward"
    for name in sorted(old_fields.keys() & new_fields.keys()):
        if name in new_required - old_required:
            yield f"{path}.{name}", "is required now", "backward"
        if name in old_required - new_required:
            yield f"{path}.{name}", "is no longer required", "forward"
        yield from _compare(old.sibling(old_fields[name]), new.sibling(new_fields[name]), f"{path}.{name}", depth + 1)


def _type_changes(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[_NodeChange]:
    old_types, new_types = _types(before), _types(after)
    if old_types and new_types and old_types != new_types:
        breaks: BrokenDirection = "forward" if old_types < new_types else "backward" if new_types < old_types else "both"
        yield path, f"was {' or '.join(sorted(old_types))}, is {' or '.join(sorted(new_types))}", breaks
    old_values, new_values = _values(before), _values(after)
    if old_values and new_values:
        for value in sorted(old_values - new_values):
            yield path, f"no longer takes {value}", "backward"
        for value in sorted(new_values - old_values):
            yield path, f"takes {value} now", "forward"


def _bound_changes(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[_NodeChange]:
    for name in (*_UPPER_BOUNDS, *_LOWER_BOUNDS):
        old_bound, new_bound = before.get(name), after.get(name)
        if old_bound == new_bound:
            continue
        is_wider = new_bound is None or (old_bound is not None and (new_bound > old_bound) == (name in _UPPER_BOUNDS))
        yield path, f"has {name} {new_bound}, had {old_bound}", "forward" if is_wider else "backward"
    if before.get("pattern") != after.get("pattern"):
        yield path, "has another pattern", "both"


def _types(schema: dict[str, Any]) -> frozenset[str]:
    if "anyOf" in schema:
        return frozenset(kind for branch in schema["anyOf"] for kind in _types(branch))
    if "$ref" in schema:
        return frozenset({"object"})
    return frozenset({f"{schema['type']} ({schema['format']})" if "format" in schema else schema["type"]} if "type" in schema else ())


def _values(schema: dict[str, Any]) -> frozenset[str]:
    return frozenset(map(str, schema.get("enum", ()))) | ({str(schema["const"])} if "const" in schema else frozenset())
