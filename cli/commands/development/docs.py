"""`jiesu docs`: write the reference pages, or list those that are out of date."""

from pathlib import Path
from typing import Annotated

import typer

from cli.exit_status import exit_with
from cli.reference.checkout import require_checkout
from cli.reference.form_pages import form_pages
from cli.reference.pages import PAGES
from cli.reference.readme_figures import readmes

app = typer.Typer(help="Reference pages made from the code.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option(help="the checkout")]


def outdated_pages(folder: Path) -> dict[str, str]:
    """The pages that are missing or differ from what the code generates, with the text that they should have."""
    texts = {name: text() for name, text in {**PAGES, **readmes(folder)}.items()} | form_pages()
    return {name: text for name, text in texts.items() if _read(folder / name) != text}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@app.command()
def write(folder: Folder = Path()) -> None:
    """Write the pages that are out of date."""
    require_checkout()
    for name, text in outdated_pages(folder).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        typer.echo(f"written {name}")


@app.command()
def check(folder: Folder = Path()) -> None:
    """Exit status 1 when a page is out of date."""
    require_checkout()
    if outdated := outdated_pages(folder):
        exit_with(f"out of date: {', '.join(outdated)}; run `make docs`", 1)
