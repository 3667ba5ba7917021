"""CEL as its library has it, without the shell that `import cel` would load into every service: 11 MB."""

import sys
from types import ModuleType

# The package imports `cel.cli` (typer, rich, prompt_toolkit, pygments) and never uses it.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

import cel  # noqa: E402 - after the line above

__all__ = ["cel"]
