"""The scenario format of the vocabulary: a complaint or several, steps, and what is expected; and whether events meet it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import AwareDatetime, Field, ValidationError, ValidationInfo, field_validator, model_validator

from shared.contracts.actions import ACTIONS, ActionData
from shared.contracts.base import Strict
from shared.contracts.complaint import Submission
from shared.contracts.events import EVENTS
from shared.procedures.model.clauses import counts_for

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _ScenarioLoader(_SafeLoader):  # type: ignore[misc]  # which of the two safe loaders there is, is known only at run time
    """YAML in which a key that stands twice is an error: the first value would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [(key.value, key.start_mark) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, (key, mark) in enumerate(keys):
            if any(key == earlier for earlier, _ in keys[:place]):
                raise yaml.MarkedYAMLError(problem=f"{key} stands here twice; keep one", problem_mark=mark)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


class ScenarioError(ValueError):
    """A scenario that cannot be used; the text names the file, the field, the rule and the remedy."""


class ScenarioComplaint(Submission):
    """A complaint of a scenario; `id` is its name in steps and expectations."""

    id: str = ""


class ScenarioStep(Strict):
    """An action at an instant by a role."""

    at: AwareDatetime
    action: str
    role: str = ""
    person: str = ""
    case: str = ""
    data: ActionData = ActionData()

    @model_validator(mode="after")
    def _action_exists(self) -> Self:
        if self.action not in ACTIONS:
            raise ValueError(f"there is no action {self.action!r}; actions are {', '.join(sorted(ACTIONS))}")
        return self


class Scenario(Strict):
    """A scenario file; `check` is left alone."""

    procedure: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    organisation: str | dict[str, Any] | None = None
    complaint: ScenarioComplaint | None = None
    complaints: list[ScenarioComplaint] = Field(default_factory=list)
    steps: list[ScenarioStep] = Field(default_factory=list)
    until: AwareDatetime | None = None
    expect: list[dict[str, Any]] = Field(default_factory=list)
    check: Any = None

    @field_validator("parameters", "complaints", "steps", "expect", mode="before")
    @classmethod
    def _null_as_empty(cls, given: Any, info: ValidationInfo) -> Any:
        return ({} if info.field_name == "parameters" else []) if given is None else given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.complaint is None) == (not self.complaints):
            raise ValueError("give either complaint or complaints")
        ids = [each.id for each in self.complaints]
        if self.complaints and (not all(ids) or len(set(ids)) < len(ids)):
            raise ValueError("complaints: each needs an id of its own")
        named = [("steps", step.case) for step in self.steps] + [("expect", str(each.get("case", ""))) for each in self.expect]
        for where, case in named:
            if case and self.complaints and case not in ids:
                raise ValueError(f"{where}: no complaint has the id {case}; ids are {', '.join(ids)}")
        if len(ids) > 1 and any(not step.case for step in self.steps):
            raise ValueError("steps: with several complaints each step names its case")
        begun = {each.id: each.registered_at or each.received_at for each in self.cases}
        for number, step in enumerate(self.steps):
            registered = begun.get(step.case) or next(iter(begun.values()))
            if step.at < registered:
                raise ValueError(
                    f"steps.{number}: {step.action} at {step.at} comes before the case is registered, at {registered}; make it later"
                )
        for each in self.expect:
            _check_expectation(each)
        return self

    @property
    def cases(self) -> list[ScenarioComplaint]:
        """The complaints; a single one keeps its id, or has none."""
        return self.complaints or ([self.complaint] if self.complaint else [])


def read_scenario(path: Path) -> Scenario:
    """The scenario in a YAML file; raises `ScenarioError`."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_ScenarioLoader)  # noqa: S506  # a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: is not a scenario; write a mapping with procedure, complaint, steps and expect")
    return parse_scenario(data, str(path))


def parse_scenario(data: Mapping[str, Any], source_name: str) -> Scenario:
    """The scenario in a mapping; `where` names it in errors; raises `ScenarioError`."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in each['loc']) or 'scenario'}: {each['msg']}" for each in error.errors(include_url=False)]
        raise ScenarioError(f"{source_name}: " + "; ".join(lines)) from error


_EVENT_FIELDS = frozenset(field.alias or name for cls in EVENTS.values() for name, field in cls.model_fields.items()) | {"event"}
_INSTANTS = ("at", "before", "due_at", "from_at", "started_at", "until", "date", "next_date")


def _check_expectation(expected: dict[str, Any]) -> None:
    if ("event" in expected) == ("absent" in expected):
        raise ValueError(f"expect: {expected} names neither or both of event and absent; give one")
    name = expected.get("event", expected.get("absent"))
    if name not in EVENTS:
        raise ValueError(f"expect: there is no event {name!r}; events are {', '.join(sorted(EVENTS))}")
    extra = {"absent", "before", "after"} if "absent" in expected else {"times"}
    unknown = [key for key in expected if key not in _EVENT_FIELDS | extra]
    if unknown:
        raise ValueError(f"expect: {unknown[0]} is no field of an event; leave it out or correct it")
    times = expected.get("times", 0)
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        raise ValueError(f"expect: times is {times!r}; write how often it happens, such as 1")
    for key in _INSTANTS:
        if key in expected:
            expected[key] = _instant(key, expected[key])


def _instant(key: str, value: Any) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"expect: {key} is {value!r}; write an instant such as 2026-09-24T16:40:00+08:00") from error
    if instant.tzinfo is None:
        raise ValueError(f"expect: {key} is {value} without an offset; add one, such as +08:00")
    return instant


def unmet_expectations(scenario: Scenario, events: list[dict[str, Any]]) -> list[str]:
    """What the events do not fulfil, in words; empty if all is met. Events at the same instant have no order among them."""
    problems: list[str] = []
    used: set[int] = set()
    since: datetime | None = None
    for expected in scenario.expect:
        if "absent" in expected:
            problems += _absent(expected, events)
        elif "times" in expected:
            problems += _times(expected, events)
        else:
            found = next(
                (i for i, event in enumerate(events) if i not in used and _not_before(event, since) and event_matches(expected, event)),
                None,
            )
            if found is None:
                problems.append(
                    f"expected {_describe_pattern(expected)}"
                    + (f" at or after {since.isoformat()}" if since else "")
                    + ", which did not happen"
                )
            else:
                used.add(found)
                since = events[found]["at"]
    return problems


def _not_before(event: dict[str, Any], since: datetime | None) -> bool:
    return since is None or event["at"] >= since


def _absent(expected: dict[str, Any], events: list[dict[str, Any]]) -> Iterable[str]:
    pattern = {("event" if key == "absent" else key): value for key, value in expected.items() if key not in ("before", "after")}
    for event in events:
        early = "before" not in expected or event["at"] < expected["before"]
        late = "after" not in expected or event["at"] > expected["after"]
        if early and late and event_matches(pattern, event):
            yield f"{_describe_pattern(pattern)} must not happen, but did at {event['at'].isoformat()}"


def _times(expected: dict[str, Any], events: list[dict[str, Any]]) -> Iterable[str]:
    pattern = {key: value for key, value in expected.items() if key != "times"}
    number = sum(1 for event in events if event_matches(pattern, event))
    if number != expected["times"]:
        yield f"expected {_describe_pattern(pattern)} {expected['times']} times, but it happened {number} times"


def event_matches(expected: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event has what the expectation gives; a clause matches the same or a finer one, a single value a list that holds it."""
    return all(_field_matches(key, value, event) for key, value in expected.items())


def _field_matches(key: str, value: Any, event: Mapping[str, Any]) -> bool:
    found = event.get(key)
    if key == "clause":
        return any(counts_for(str(own), str(value)) for own in event.get("clauses") or [found])
    if isinstance(found, list) and not isinstance(value, list):
        return value in found
    if isinstance(found, list):
        return sorted(map(str, found)) == sorted(map(str, value))
    return bool(found == value) if found is not None else value in (None, "", False, 0)


def _describe_pattern(expected: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value.isoformat() if isinstance(value, datetime) else value}" for key, value in expected.items())
