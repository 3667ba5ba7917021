"""The scenario format of the vocabulary: a complaint or several, steps, and what is expected; and whether events meet it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import AwareDatetime, Field, ValidationError, ValidationInfo, field_validator, model_validator

from shared.contracts.actions import ACTION_DEFINITIONS, ActionData
from shared.contracts.base import StrictModel
from shared.contracts.complaint import Submission
from simulator.expectations import check_expectation

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


class ScenarioStep(StrictModel):
    """An action at an instant by a role."""

    at: AwareDatetime
    action: str
    role: str = ""
    person: str = ""
    case: str = ""
    data: ActionData = ActionData()

    @model_validator(mode="after")
    def _action_exists(self) -> Self:
        if self.action not in ACTION_DEFINITIONS:
            raise ValueError(f"there is no action {self.action!r}; actions are {', '.join(sorted(ACTION_DEFINITIONS))}")
        return self


class Scenario(StrictModel):
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
            check_expectation(each)
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
