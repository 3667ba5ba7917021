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
        first, *parts = _PLACEHOLDER.split(_normal(self.text))
        names, literals = parts[::2], [re.escape(part) for part in parts[1::2]]
        pattern = re.escape(first)
        for position, (name, literal) in enumerate(zip(names, literals, strict=True)):
            if name in names[:position]:
                pattern += f"(?P={name}){literal}"
            elif position == len(names) - 1:
                pattern += f"(?P<{name}>.+){literal}"
            else:
                # Atomic: up to the first occurrence of what follows, never tried again; else a text of 400 characters takes a minute.
                pattern += f"(?>(?P<{name}>.+?){literal})"
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
