"""The format of scenario files: complaints, steps and expectations; validates and reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import AwareDatetime, Field, ValidationError, ValidationInfo, field_validator, model_validator

from shared.contracts.actions import ACTION_DEFINITIONS, ActionData
from shared.contracts.base import StrictModel
from shared.contracts.complaint import Submission
from shared.procedures.loading.yaml_document import check_depth
from simulator.expectations import check_expectation

# libyaml's loader is seven times as fast, but not every build of PyYAML has it.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _ScenarioLoader(_SafeLoader):  # type: ignore[misc]  # the base class is chosen at run time
    """A loader that refuses a repeated key: YAML would silently drop its first value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [(key.value, key.start_mark) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for position, (key, mark) in enumerate(keys):
            if any(key == earlier for earlier, _ in keys[:position]):
                raise yaml.MarkedYAMLError(problem=f"{key} occurs twice; keep one", problem_mark=mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


class ScenarioError(ValueError):
    """A scenario that cannot be used; the text names the file, the field, the rule and the remedy."""


class ScenarioComplaint(Submission):
    """A complaint of a scenario; steps and expectations name it by its `id`."""

    id: str = ""


class ScenarioStep(StrictModel):
    """An action at an instant by a role or person."""

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
    """A scenario file; `check` is ignored."""

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
    def _null_as_empty(cls, value: Any, info: ValidationInfo) -> Any:
        return ({} if info.field_name == "parameters" else []) if value is None else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.complaint is None) == (not self.complaints):
            raise ValueError("give either complaint or complaints")
        self._check_case_names()
        self._check_step_times()
        for expected in self.expect:
            check_expectation(expected)
        return self

    def _check_case_names(self) -> None:
        ids = [complaint.id for complaint in self.complaints]
        if self.complaints and (not all(ids) or len(set(ids)) < len(ids)):
            raise ValueError("complaints: each needs an id of its own")
        references = [("steps", step.case) for step in self.steps]
        references += [("expect", str(expected.get("case", ""))) for expected in self.expect]
        for section, case in references:
            if case and self.complaints and case not in ids:
                raise ValueError(f"{section}: no complaint has the id {case}; ids are {', '.join(ids)}")
        if len(ids) > 1 and any(not step.case for step in self.steps):
            raise ValueError("steps: with several complaints each step names its case")

    def _check_step_times(self) -> None:
        registered_at = {complaint.id: complaint.registered_at or complaint.received_at for complaint in self.cases}
        for number, step in enumerate(self.steps):
            registered = registered_at.get(step.case) or next(iter(registered_at.values()))
            if step.at < registered:
                raise ValueError(
                    f"steps.{number}: {step.action} at {step.at} comes before the case is registered, at {registered}; make it later"
                )

    @property
    def cases(self) -> list[ScenarioComplaint]:
        """The complaints; a single one may have no id."""
        return self.complaints or ([self.complaint] if self.complaint else [])


def read_scenario(path: Path) -> Scenario:
    """Read a scenario from a YAML file; raises `ScenarioError`."""
    try:
        text = path.read_text(encoding="utf-8")
        check_depth(text)
        data = yaml.load(text, Loader=_ScenarioLoader)  # noqa: S506  # a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: is not a scenario; write a mapping with procedure, complaint, steps and expect")
    return parse_scenario(data, str(path))


def parse_scenario(data: Mapping[str, Any], source_name: str) -> Scenario:
    """Read a scenario from a mapping; errors begin with `source_name`. Raises `ScenarioError`."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        lines = [f"{'.'.join(map(str, problem['loc'])) or 'scenario'}: {problem['msg']}" for problem in problems]
        raise ScenarioError(f"{source_name}: " + "; ".join(lines)) from error
