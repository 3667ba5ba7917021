"""The project's own files, as tests about the code itself see them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", ".venv", "var", "dist", "__pycache__", "node_modules"}
_LIMIT = 2_000_000


@cache
def text_files() -> tuple[Path, ...]:
    """Every text file of the project, in order: what is or could be committed."""
    return tuple(sorted(path for path in _walk(PROJECT) if path.stat().st_size < _LIMIT and _is_text(path)))


def python_files() -> list[Path]:
    """Every Python file of the project."""
    return [path for path in text_files() if path.suffix == ".py"]


def relative_name(path: Path) -> str:
    """The path as a person would write it."""
    return path.relative_to(PROJECT).as_posix()


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in _NOT_OURS or entry.name.endswith(("_cache", ".egg-info")) or entry.name == ".hypothesis":
            continue
        if entry.is_dir():
            yield from _walk(entry)
        elif entry.is_file():
            yield entry


def _is_text(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True
