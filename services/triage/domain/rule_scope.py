"""Evaluates CEL conditions on one complaint, and names what they read as evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from services.triage.domain.classifier.prediction import Classifier
from services.triage.domain.facts.pattern_searches import PatternSearches
from services.triage.domain.reading.reading_copy import ReadingCopy
from shared.contracts.complaint import CHANNEL_FAMILIES, Complaint
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS, EMPTY_FIELDS_OF_ANY_EVENT, EPOCH
from shared.procedures.expressions.cel_library import cel
from shared.procedures.expressions.conditions import CASE_FIELDS, Condition, NamePath
from shared.procedures.expressions.pattern_filter import Span
from shared.procedures.expressions.pattern_search import CEL_FUNCTIONS
from shared.procedures.expressions.plain_conditions import UnclearValueError

_INSTANTS = frozenset({"received_at", "registered_at", "happened_at", "agreed_date"})
_CASE_DEFAULTS: dict[str, Any] = {
    **{name: EPOCH if name in _INSTANTS else "" for name in CASE_FIELDS},
    **dict.fromkeys(("approved", "accepted", "suspended"), False),
    "open": True,
    "status": "open",
    "level": 0,
    "links": [],
    "cooperating": [],
}
_TEXT_FIELDS: Final = frozenset({"title", "text", "object", "demand", "place", "product"})
_TEXTS_OF_COMPLAINANT: Final = frozenset({"identity", "enterprise"})
_NO_EVENT_COUNTS = dict.fromkeys(EMPTY_EVENT_FIELDS, 0)


@dataclass(frozen=True, slots=True)
class TriageContext:
    """The instant of a decision, the zone of the procedure's calendar, when the decision is recorded, and the classifier.

    `open_cases` counts those that departments with a capacity lead.
    """

    at: datetime
    zone: tzinfo
    recorded_at: datetime | None = None
    classifier: Classifier | None = None
    open_cases: Mapping[str, int] = field(default_factory=dict)

    def instants(self) -> dict[str, datetime]:
        """`at` and `recorded_at` of the decision's events."""
        return {"at": self.at} if self.recorded_at is None else {"at": self.at, "recorded_at": self.recorded_at}


class ConditionError(ValueError):
    """An expression that cannot be evaluated on one complaint; the message names the expression, never a value."""


class RuleScope:
    """The values that conditions may read about one complaint; `read_paths` are the paths that the rules read, by root variable.

    Texts are read in their reading copy, which several decisions on one complaint may share.
    """

    def __init__(
        self,
        complaint: Complaint,
        facts: dict[str, Any],
        parameters: Mapping[str, Any],
        zone: tzinfo,
        read_paths: Mapping[str, tuple[NamePath, ...]],
        patterns: PatternSearches | None = None,
        reading: ReadingCopy | None = None,
    ) -> None:
        self.complaint = complaint
        self.facts = facts
        self.reading = reading or ReadingCopy(complaint)
        self._patterns = patterns or PatternSearches({})
        self._pattern_words: dict[str, str] = {}
        self._windows: dict[str, dict[str, list[Span]]] = {}
        self._parameters = parameters
        self._zone = zone
        self._case: dict[str, Any] = {}
        self._read_paths = read_paths
        self._stale_roots = set(read_paths)
        self.failed_conditions: dict[str, None] = {}
        self._context: cel.Context | None = None

    def set_facts(self, values: Mapping[str, Any]) -> None:
        """Set facts for the conditions that are evaluated next."""
        self.facts.update(values)
        if "identity" in values:
            self._pattern_words.clear()
            self._stale_roots.add("says")
        self._stale_roots.add("facts")

    def set_case_field(self, name: str, value: str) -> None:
        """Set what is decided so far (kind, class, rule, subject or department) for the conditions that are evaluated next."""
        self._case[name] = value
        self._stale_roots.add("case")

    def applies(self, condition: Condition) -> bool:
        """Whether the condition holds; one that cannot be evaluated does not, and `failed_conditions` keeps its expression.

        Conditions were checked when the procedure was loaded, so that only a value of this complaint can break one (an overflow, an
        index out of range). Such a complaint is decided by the rules that are left: else its sender could stop triage for everybody.
        """
        try:
            return self.holds(condition)
        except ConditionError:
            self.failed_conditions[condition.source] = None
            return False

    def holds(self, condition: Condition) -> bool:
        """Whether the condition holds; raises `ConditionError` if its value is not true or false."""
        if condition.pattern in self._patterns:
            return bool(self._words_of(condition.pattern))
        if condition.plain is not None:
            try:
                return condition.plain(self.read)
            except (UnclearValueError, LookupError):  # a name without a value too: CEL says what that means
                pass
        value = self.value(condition)
        if value is not True and value is not False:
            source = condition.source
            raise ConditionError(f"the condition «{source}» gives {type(value).__name__}; it has to give true or false")
        return value

    def value(self, condition: Condition) -> Any:
        """The expression's value; raises `ConditionError` with the expression if it cannot be evaluated."""
        try:
            return condition.program.execute(self._current_context(condition.root_variables))
        except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:  # the library raises no class of its own
            source = condition.source
            raise ConditionError(f"the condition «{source}» cannot be evaluated: {type(error).__name__}") from error

    def value_or_none(self, condition: Condition) -> Any:
        """The expression's value, None if it cannot be evaluated; see `applies`."""
        try:
            return self.value(condition)
        except ConditionError:
            self.failed_conditions[condition.source] = None
            return None

    def evidence(self, condition: Condition) -> tuple[str, ...]:
        """The names that the condition read, as `name = value`; texts without their value, since they may contain personal data.

        Of a text pattern the words that it was found in: they show the fact.
        """
        return tuple([self._evidence_line(path) for path in condition.paths])

    def _evidence_line(self, path: NamePath) -> str:
        value, name = self.read(path), ".".join(path)
        if path[0] == "says" and value:
            return f"{name}: «{self._words_of(path[1])}»"
        if isinstance(value, bool):
            return f"{name} = {str(value).lower()}"
        if isinstance(value, int | float) or name in ("complaint.channel", "complaint.channel_family", "complaint.kind", "case.class"):
            return f"{name} = {value}"
        return f"{name} = {value.isoformat()}" if isinstance(value, datetime) else name

    def _current_context(self, roots: Iterable[str]) -> cel.Context:
        """The CEL context with the current values of these root variables."""
        if self._context is None:
            self._context = cel.Context(functions=CEL_FUNCTIONS)
        for root in roots:
            if root in self._stale_roots:
                self._stale_roots.discard(root)
                if variables := self._variables(root):
                    self._context.add_variable(root, variables)
        return self._context

    def _variables(self, root: str) -> dict[str, Any]:
        """The values under a root variable, as nested dictionaries, without facts and parameters that do not exist."""
        existing = {"facts": self.facts, "parameters": self._parameters, "says": self._patterns}.get(root)
        variables: dict[str, Any] = {}
        for path in self._read_paths.get(root, ()):
            if existing is not None and path[1] not in existing:
                continue
            node = variables
            for name in path[1:-1]:
                node = node.setdefault(name, {})
            node[path[-1]] = self.read(path)
        return variables

    def read(self, path: NamePath) -> Any:
        """The value of a path such as ('complaint', 'complainant', 'kind'): instants in the calendar's zone, unset values empty."""
        match path[0]:
            case "facts":
                return _in_zone(self.reading.value(self.facts.get(path[1])), self._zone)
            case "says":
                return bool(self._words_of(path[1]))
            case "complaint":
                return self._complaint_value(path)
            case "case":
                return self._case_value(path[1])
            case "parameters":
                return _in_zone(self._parameters.get(path[1]), self._zone)
            case "last":
                return EMPTY_EVENT_FIELDS[path[1]][path[2]]
            case root:
                return {"event": EMPTY_FIELDS_OF_ANY_EVENT, "count": _NO_EVENT_COUNTS}[root][path[1]]

    def _complaint_value(self, path: NamePath) -> Any:
        name = path[1]
        if name == "channel_family":
            return CHANNEL_FAMILIES[self.complaint.channel]
        if name in _TEXT_FIELDS:
            return self.reading.field(name)
        if name == "complainant":
            if path[2] in _TEXTS_OF_COMPLAINANT:
                return self.reading.field(path[2])
            return _or_empty(getattr(self.complaint.complainant, path[2]))
        value = getattr(self.complaint, name)
        return EPOCH if value is None and name in _INSTANTS else _or_empty(_in_zone(value, self._zone))

    def _words_of(self, pattern_name: str) -> str:
        """The words that show a text pattern, empty if none does."""
        words = self._pattern_words.get(pattern_name)
        if words is None:
            words = self._pattern_words[pattern_name] = self._search(pattern_name)
        return words

    def _search(self, pattern_name: str) -> str:
        pattern = self._patterns[pattern_name]
        texts = [self.reading.field(field) for field in pattern.fields]
        if "identity" in pattern.fields and isinstance(identity := self.reading.value(self.facts.get("identity")), str):
            texts.append(identity)
        for text in texts:
            if text not in self._windows:
                self._windows[text] = self._patterns.windows(text)
            windows = self._windows[text].get(pattern_name)
            hits = pattern.hits(text, windows) if windows else ()
            if hits and not hits[-1].cue_kind:
                return hits[-1].words
        return ""

    def _case_value(self, name: str) -> Any:
        if name in self._case:
            return self._case[name]
        match name:
            case "number" | "received_at" | "registered_at":
                return _in_zone(getattr(self.complaint, name), self._zone)
            case "received_day":
                return self.complaint.received_at.astimezone(self._zone).date().isoformat()
        return _CASE_DEFAULTS[name]


def _in_zone(value: Any, zone: tzinfo) -> Any:
    """An instant with the zone's offset at that instant; CEL accepts fixed offsets only."""
    if not isinstance(value, datetime):
        return value
    local = value.astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))


def _or_empty(value: Any) -> Any:
    return "" if value is None else value
