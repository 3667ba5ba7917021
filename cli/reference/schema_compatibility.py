"""What a change of a JSON Schema breaks: backward, if new code cannot read old messages; forward, if old code cannot read new ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

_UPPER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties")
_LOWER = ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties")
BrokenDirection = Literal["", "backward", "forward", "both"]
_BROKEN_PARTIES = {
    "backward": "consumers that read old messages",
    "forward": "consumers that are not yet updated",
    "both": "every consumer",
}


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One change of a record's type, and in which direction it breaks."""

    type: str
    description: str
    breaks_direction: BrokenDirection = ""

    @property
    def broken_parties(self) -> str:
        """Who is broken, in words."""
        return _BROKEN_PARTIES.get(self.breaks_direction, "nobody")


def schema_changes(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[SchemaChange]:
    """The changes between two schemas of one type; descriptions do not count."""
    found = _compare(_SchemaNode(old), _SchemaNode(new), "")
    return [SchemaChange(name, f"{path or 'the body'} {what}", breaks) for path, what, breaks in found]


@dataclass(frozen=True, slots=True)
class _SchemaNode:
    """A schema within its document, for references."""

    document: dict[str, Any]
    node: Any = None

    def resolve(self) -> dict[str, Any]:
        """The schema itself, references followed."""
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


def _compare(old: _SchemaNode, new: _SchemaNode, path: str, depth: int = 0) -> Iterator[_NodeChange]:
    before, after = old.resolve(), new.resolve()
    if depth > 8:  # noqa: PLR2004 - deeper than any model of ours
        return
    yield from _type_changes(before, after, path)
    yield from _limits(before, after, path)
    yield from _fields(old, new, path, depth)
    if "items" in before and "items" in after:
        yield from _compare(old.sibling(before["items"]), new.sibling(after["items"]), f"{path}[]", depth + 1)
    for place, (one, two) in enumerate(zip(before.get("anyOf", ()), after.get("anyOf", ()), strict=False)):
        if "null" not in (one.get("type"), two.get("type")):
            yield from _compare(old.sibling(one), new.sibling(two), f"{path}|{place}" if place else path, depth + 1)


def _fields(old: _SchemaNode, new: _SchemaNode, path: str, depth: int) -> Iterator[_NodeChange]:
    before, after = old.resolve(), new.resolve()
    was, now = before.get("properties", {}), after.get("properties", {})
    needed, needs = set(before.get("required", ())), set(after.get("required", ()))
    strict = before.get("additionalProperties") is False
    for name in sorted(now.keys() - was.keys()):
        breaks: BrokenDirection = "backward" if name in needs else ""
        yield f"{path}.{name}", "is new and required" if breaks else "is new", "both" if breaks and strict else breaks
    for name in sorted(was.keys() - now.keys()):
        tolerant = after.get("additionalProperties") is not False
        yield f"{path}.{name}", "is gone", "forward" if name in needed and tolerant else "both" if name in needed else "backward"
    for name in sorted(was.keys() & now.keys()):
        if name in needs - needed:
            yield f"{path}.{name}", "is required now", "backward"
        if name in needed - needs:
            yield f"{path}.{name}", "is no longer required", "forward"
        yield from _compare(old.sibling(was[name]), new.sibling(now[name]), f"{path}.{name}", depth + 1)


def _type_changes(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[_NodeChange]:
    was, now = _types(before), _types(after)
    if was and now and was != now:
        breaks: BrokenDirection = "forward" if was < now else "backward" if now < was else "both"
        yield path, f"was {' or '.join(sorted(was))}, is {' or '.join(sorted(now))}", breaks
    old, new = _values(before), _values(after)
    if old and new:
        for value in sorted(old - new):
            yield path, f"no longer takes {value}", "backward"
        for value in sorted(new - old):
            yield path, f"takes {value} now", "forward"


def _limits(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[_NodeChange]:
    for name in (*_UPPER, *_LOWER):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        wider = now is None or (was is not None and (now > was) == (name in _UPPER))
        yield path, f"has {name} {now}, had {was}", "forward" if wider else "backward"
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
