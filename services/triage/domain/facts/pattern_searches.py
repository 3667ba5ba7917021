"""The text patterns that the rules of a procedure read, of which a text is searched for those alone that it may match."""

from collections.abc import Iterator, Mapping

from services.triage.domain.facts.pattern_filter import PatternFilter
from shared.procedures.expressions.sense import SensePattern


class PatternSearches(Mapping[str, SensePattern]):
    """Patterns by name."""

    def __init__(self, patterns: Mapping[str, SensePattern]) -> None:
        self._patterns = patterns
        sources = [(name, source) for name, pattern in patterns.items() for source in pattern.sources]
        self._names = [name for name, _ in sources]
        self._filter = PatternFilter([source for _, source in sources])

    def __getitem__(self, name: str) -> SensePattern:
        return self._patterns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._patterns)

    def __len__(self) -> int:
        return len(self._patterns)

    def possible(self, text: str) -> frozenset[str]:
        """The names of the patterns that the text may show."""
        return frozenset(self._names[number] for number in self._filter.matching(text))
