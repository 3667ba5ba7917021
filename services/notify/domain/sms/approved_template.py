"""Finds the approved template and its parameters for a text: carriers in China send the text of a template, not ours."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]{0,39})\}")
_SIGNATURE = re.compile(r"^【[^】]{1,20}】")
"""The gateway puts the signature before the text itself."""


@dataclass(frozen=True)
class ApprovedTemplate:
    """A template as the carrier has approved it, such as `投诉单 ${number} 待办`."""

    code: str
    text: str

    @cached_property
    def placeholders(self) -> list[str]:
        """The names of the placeholders in their order."""
        return _PLACEHOLDER.findall(self.text)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the texts that the template can give; a name that occurs twice has one value."""
        parts = _PLACEHOLDER.split(_normal(self.text))
        pattern = ""
        for position, part in enumerate(parts):
            is_name = position % 2 == 1
            seen = is_name and part in parts[1:position:2]
            pattern += f"(?P={part})" if seen else f"(?P<{part}>.+?)" if is_name else re.escape(part)
        return re.compile(pattern, re.DOTALL)

    def parameters(self, text: str) -> dict[str, str] | None:
        """The values with which the template gives this text; None if it cannot."""
        match = self.pattern.fullmatch(_normal(text))
        return None if match is None else match.groupdict()


def find_template(templates: Iterable[ApprovedTemplate], text: str) -> tuple[ApprovedTemplate, dict[str, str]] | None:
    """The first template that gives the text, and its parameters."""
    for template in templates:
        parameters = template.parameters(text)
        if parameters is not None:
            return template, parameters
    return None


def _normal(text: str) -> str:
    return " ".join(_SIGNATURE.sub("", text.strip()).split())
