"""`jiesu triage`: train the classifier on an organisation's history, measure it, explain a guess, compare two models."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.clock import current_instant
from cli.commands.authoring import training_export
from cli.exit_status import EXIT_UNUSABLE, exit_with
from services.triage.application.models.model_file import ModelFileError, check_target, read_model, write_model
from services.triage.domain.classifier.explanation import GuessExplanation, explain, strongest
from services.triage.domain.facts.complaint_facts import explained_facts
from services.triage.domain.reading.reading_copy import read_text
from shared.contracts.events.found_fact import FoundFact

if TYPE_CHECKING:
    from services.triage.domain.classifier.text_model import TextModel
    from services.triage.training.history import HistoryRow

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.command()(training_export.export)

_Data = Annotated[Path, typer.Argument(help="JSON Lines (also .gz): text, and title, label and group where known")]
_ModelFile = Annotated[Path, typer.Option("--model", help="a model that `jiesu triage train` wrote")]
_Json = Annotated[bool, typer.Option("--json", help="print one JSON object")]
_NGRAMS = 12
_WEAKEST_SHOWN = 10


@app.command()
def train(
    data: _Data,
    out: Annotated[Path, typer.Option(help="the .npz file to write; its .sha256 is written beside it")],
    names: Annotated[Path | None, typer.Option(help="CSV of the subject tree: value, then names and synonyms below it")] = None,
    label: Annotated[str, typer.Option(help="what a label that is one text means: subject, department, kind or another")] = "subject",
    as_json: _Json = False,
) -> None:
    """Train a model and print what it reaches in cross-validation by group. Exit status 2 if the data or --out cannot be used."""
    history, trainer = _training()
    try:
        check_target(out)
        rows = history.read_history(data, label)
        trained = trainer.train(rows, history.read_names(names) if names else (), label_of_names=label)
    except ModelFileError as error:
        exit_with(f"jiesu triage train: --out {error}")
    except history.HistoryError as error:
        exit_with(f"jiesu triage train: {error}")
    report = {**trained.report, "trained_at": current_instant().isoformat()}
    version = write_model(out, trained.model, report)
    if as_json:
        typer.echo(json.dumps({"version": version, **report}, ensure_ascii=False, indent=1))
        return
    typer.echo(f"{out}: version {version}, {report['features']} n-grams, {out.stat().st_size / 1e6:.1f} MB")
    for name, of_label in report["labels"].items():
        typer.echo(f"{name}: {len(of_label['values'])} values, too rare: {', '.join(of_label['too_rare']) or 'none'}")
        _print_figures(of_label.get("cross_validated"))


@app.command()
def evaluate(data: _Data, model: _ModelFile, label: str = "subject", as_json: _Json = False) -> None:
    """Measure a model on messages that it was not trained on. Exit status 2 if a file cannot be used."""
    loaded, rows = _read_model(model), _read_history(data, label)
    figures = {head.label: measured for head in loaded.heads if (measured := _measure(loaded, rows, head.label)) is not None}
    if not figures:
        exit_with(f"{data.name}: no message has a label that the model has learned; add labels, or name it by --label")
    if as_json:
        typer.echo(json.dumps({"version": loaded.version, "labels": figures}, ensure_ascii=False, indent=1))
        return
    for name, of_label in figures.items():
        typer.echo(f"{name}, model {loaded.version}")
        _print_figures(of_label)


@app.command("explain")
def explain_text(
    text: Annotated[str, typer.Argument(help="the text of a complaint; - reads standard input")],
    model: Annotated[Path | None, typer.Option("--model", help="a model that `jiesu triage train` wrote; none: facts only")] = None,
    title: str = "",
    as_json: _Json = False,
) -> None:
    """Show the facts in a text with the words that show them, the guesses, and the n-grams that speak for and against the best one."""
    content = typer.get_text_stream("stdin").read() if text == "-" else text
    explanations = explain(_read_model(model), read_text(title), read_text(content)) if model else []
    facts = explained_facts(content, title)
    if as_json:
        found = [fact.model_dump() for fact in facts]
        labels = [_explanation_json(entry) for entry in explanations]
        typer.echo(json.dumps({"labels": labels, "facts": found}, ensure_ascii=False, indent=1))
        return
    for fact in facts:
        typer.echo(f"{fact.name}: {_fact_value(fact)} («{fact.words}», {fact.field} {fact.start}-{fact.end})")
    for entry in explanations:
        guesses = ", ".join(f"{guess.value} {guess.probability:.1%}" for guess in entry.prediction.guesses)
        typer.echo(f"{entry.prediction.label}: {guesses}")
        typer.echo(f"  because of: {', '.join(strongest(entry, 5)) or 'no n-gram that the model knows'}")
        for part in entry.contributions[:_NGRAMS]:
            typer.echo(f"  {part.contribution:+.3f} {part.ngram!r}")
        rest = sum(part.contribution for part in entry.contributions[_NGRAMS:])
        typer.echo(f"  {rest:+.3f} other n-grams, {entry.bias:+.3f} without any: margin {entry.margin:+.3f}")


def _fact_value(fact: FoundFact) -> str:
    value = "yes" if fact.value is True else str(fact.value)
    return f"{fact.note} {value}".strip()


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(help="the model that decides now")],
    new: Annotated[Path, typer.Argument(help="the model that may replace it")],
    data: Annotated[Path, typer.Option(help="messages on which both decide; labels, where known, tell which is right")],
    label: str = "subject",
    as_json: _Json = False,
) -> None:
    """Show what a new model would decide differently. Exit status 2 if a file cannot be used."""
    models, rows = (_read_model(old), _read_model(new)), _read_history(data, label)
    learned = {head.label for head in models[0].heads} & {head.label for head in models[1].heads}
    comparison = {name: _compare_label(models, rows, name) for name in sorted(learned)}
    if as_json:
        typer.echo(json.dumps(comparison, ensure_ascii=False, indent=1))
        return
    if not comparison:
        exit_with("the models have no label in common; train both on the same labels")
    for name, figures in comparison.items():
        typer.echo(f"{name}: {figures['different']} of {figures['messages']} messages differ")
        typer.echo(f"  right: old {figures['old_right']}, new {figures['new_right']} of {figures['labelled']} labelled ones")
        for change, number in figures["changes"].items():
            typer.echo(f"  {number:5d}  {change}")


def _compare_label(models: tuple[TextModel, TextModel], rows: list[HistoryRow], label: str) -> dict[str, Any]:
    best = [_best_values(model, rows, label) for model in models]
    pairs = list(zip(*best, strict=True))
    known = [row.labels.get(label) for row in rows]
    changes = Counter(f"{old} → {new}" for old, new in pairs if old != new)
    return {
        "messages": len(rows),
        "different": sum(old != new for old, new in pairs),
        "labelled": sum(value is not None for value in known),
        "old_right": sum(old == value for (old, _), value in zip(pairs, known, strict=True)),
        "new_right": sum(new == value for (_, new), value in zip(pairs, known, strict=True)),
        "changes": dict(changes.most_common(_WEAKEST_SHOWN)),
    }


def _best_values(model: TextModel, rows: list[HistoryRow], label: str) -> list[str]:
    place = [head.label for head in model.heads].index(label)
    return [labels[place].best.value for labels in model.classify([(row.title, row.text) for row in rows])]


def _measure(model: TextModel, rows: list[HistoryRow], label: str) -> dict[str, Any] | None:
    from services.triage.training.evaluation import evaluate_model  # noqa: PLC0415 - needs the extra

    return evaluate_model(model, rows, label)


def _explanation_json(entry: GuessExplanation) -> dict[str, Any]:
    return {
        "label": entry.prediction.label,
        "guesses": [{"value": guess.value, "probability": guess.probability} for guess in entry.prediction.guesses],
        "margin": entry.margin,
        "bias": entry.bias,
        "contributions": [{"ngram": part.ngram, "contribution": part.contribution} for part in entry.contributions],
    }


def _print_figures(figures: dict[str, Any] | None) -> None:
    from services.triage.training.measures import describe  # noqa: PLC0415 - needs the extra

    for line in describe(figures) if figures else ():
        typer.echo(f"  {line}")


def _read_model(path: Path) -> TextModel:
    try:
        return read_model(path)
    except ModelFileError as error:
        exit_with(f"jiesu triage: {error}")


def _read_history(path: Path, label: str) -> list[HistoryRow]:
    history, _ = _training()
    try:
        rows: list[HistoryRow] = history.read_history(path, label)
    except history.HistoryError as error:
        exit_with(f"jiesu triage: {error}")
    return rows


def _training() -> tuple[Any, Any]:
    """The modules that train: they need the extra."""
    try:
        from services.triage.training import history, trainer  # noqa: PLC0415
    except ImportError as error:
        exit_with(f"jiesu triage: {error.name} is missing; install the extra: pip install 'jiesu[triage-train]'", EXIT_UNUSABLE)
    return history, trainer
