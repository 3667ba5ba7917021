"""The text patterns that the rules of a procedure read, of which a text is searched for those alone that it may match."""

from collections.abc import Iterator, Mapping

from shared.procedures.expressions.pattern_filter import Span, cached_filter, merged_windows
from shared.procedures.expressions.sense import SensePattern


class PatternSearches(Mapping[str, SensePattern]):
    """Patterns by name."""

    def __init__(self, patterns: Mapping[str, SensePattern]) -> None:
        self._patterns = patterns
        sources = [(name, source) for name, pattern in patterns.items() for source in pattern.sources]
        self._names = [name for name, _ in sources]
        self._filter = cached_filter(tuple(source for _, source in sources))

    def __getitem__(self, name: str) -> SensePattern:
        return self._patterns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._patterns)

    def __len__(self) -> int:
        return len(self._patterns)

    def windows(self, text: str) -> dict[str, list[Span]]:
        """The patterns that the text may show, by name, with the parts of the text that hold all their matches, in order."""
        found: dict[str, list[Span]] = {}
        for number, windows in self._filter.windows(text).items():
            found.setdefault(self._names[number], []).extend(windows)
        return {name: merged_windows(windows) for name, windows in found.items()}
