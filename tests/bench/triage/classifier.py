"""Measures the accuracy of triage's classifier on real messages, and its speed.

Run with `python -m tests.bench.triage.classifier --data DIR`; figures go to var/bench/triage_classifier.json. DIR holds
messages.labelled.jsonl.gz and taxonomy.csv. The data has no licence: nothing of it, nor a model trained on it, is kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from services.triage.application.models.model_file import read_model, write_model
from services.triage.domain.classifier.text_model import TextModel
from services.triage.domain.reading.reading_copy import read_text
from services.triage.training.evaluation import model_probabilities
from services.triage.training.history import HistoryRow, LabelNames, read_history, read_names
from services.triage.training.measures import measure
from services.triage.training.trainer import train
from tests.bench.measuring.results import write_figures

LABEL = "subject"
FOLDS = 5
FEW = 300
MESSAGES, TREE = "messages.labelled.jsonl.gz", "taxonomy.csv"


class Folds:
    """Five folds by group, the same for every task."""

    def __init__(self, rows: Sequence[HistoryRow]) -> None:
        self.rows = rows
        self.values = sorted({row.labels[LABEL] for row in rows})
        self.targets = np.array([self.values.index(row.labels[LABEL]) for row in rows])
        self.groups = np.array([row.group for row in rows])

    def split(self) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
        """Places of known and of unseen messages."""
        # Groups are numbers in the file: as texts they would sort, and so split, in another way than published figures do.
        folds = GroupKFold(FOLDS)
        yield from folds.split(self.targets, self.targets, self.groups.astype(np.int64))

    def chosen(self, places: np.ndarray[Any, Any]) -> list[HistoryRow]:
        """The messages at these places."""
        return [self.rows[place] for place in places.tolist()]

    def draw(self, known: np.ndarray[Any, Any], number: int, seed: int) -> set[int]:
        """So many of the known messages, whole groups in random order: copies of a labelled message would be labels for nothing."""
        order = {group: place for place, group in enumerate(np.random.default_rng(seed).permutation(np.unique(self.groups[known])))}
        return set(sorted(known.tolist(), key=lambda place: order[self.groups[place]])[:number])

    def probabilities(self, model: TextModel, texts: Sequence[tuple[str, str]]) -> np.ndarray[Any, Any]:
        """Probabilities of all values; one that the model does not know has none."""
        head = model.head(LABEL)
        assert head is not None
        found = np.zeros((len(texts), len(self.values)))
        given = model_probabilities(model, head, texts)
        for place, value in enumerate(self.values):
            if value in head.values:
                found[:, place] = given[:, head.values.index(value)]
        return found


def whole_and_titles(folds: Folds) -> dict[str, Any]:
    """All labels: on whole messages, and on their titles alone, by the same models."""
    whole = np.zeros((len(folds.rows), len(folds.values)))
    title_only = np.zeros_like(whole)
    for known, unseen in folds.split():
        model = train(folds.chosen(known)).model
        rows = folds.chosen(unseen)
        whole[unseen] = folds.probabilities(model, [(row.title, row.text) for row in rows])
        title_only[unseen] = folds.probabilities(model, [(row.title, "") for row in rows])
    titled = np.array([bool(row.title) for row in folds.rows])
    return {"all_labels": measure(whole, folds.targets), "title_only": measure(title_only[titled], folds.targets[titled])}


def few_labels(folds: Folds, names: Sequence[LabelNames], number: int) -> dict[str, Any]:
    """No labels, or those of `number` messages drawn by group, with the tree and the other messages without their labels.

    Each fold has a draw of its own, so that the figure is the mean of five.
    """
    found = np.zeros((len(folds.rows), len(folds.values)))
    for seed, (known, unseen) in enumerate(folds.split()):
        labelled = folds.draw(known, number, seed)
        rows = [
            row if place in labelled else HistoryRow(row.title, row.text, {}, row.group)
            for place, row in zip(known.tolist(), folds.chosen(known), strict=True)
        ]
        found[unseen] = folds.probabilities(train(rows, names).model, [(row.title, row.text) for row in folds.chosen(unseen)])
    return measure(found, folds.targets)


def speed(folds: Folds) -> dict[str, Any]:
    """Messages a second of processor time, one by one and batched, with and without the reading copy; size and memory of the model."""
    model = train(folds.rows).model
    texts = [(row.title, row.text) for row in folds.rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        write_model(path, model, {})
        served = read_model(path)
        size, memory = path.stat().st_size, added_memory(path)
    # The best of many short runs: other processes empty the caches, which counts as processor time of this one.
    batched = min(_seconds(lambda: served.classify(texts[:640])) for _ in range(30)) / 640
    single = min(_seconds(lambda: [served.classify([pair]) for pair in texts[:200]]) for _ in range(30)) / 200
    reading = _seconds(lambda: [(read_text(title), read_text(text)) for title, text in texts]) / len(texts)
    return {
        "batched_per_second": 1 / batched,
        "single_ms": single * 1e3,
        "reading_copy_ms": reading * 1e3,
        "batched_with_reading_copy_per_second": 1 / (batched + reading),
        "model_mb": size / 1e6,
        "memory_added_mb": memory,
        "features": len(model.keys),
    }


def added_memory(path: Path) -> float:
    """Resident memory in MB that the model adds to a process with triage's modules, after it has classified."""
    script = (
        "import services.triage.bootstrap, sys\n"
        "from services.triage.application.models.classifying import Classifiers; from pathlib import Path\n"
        "def resident(): return int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1]) / 1e3\n"
        "before = resident(); c = Classifiers(Path(sys.argv[1]))\n"
        "c.prepare([('', f'{n} ' + '电梯停运，物业不修。' * 40) for n in range(250)]); print(resident() - before)"
    )
    answer = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    return float(answer.stdout)


def _seconds(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


def known_values(names: Sequence[LabelNames], values: Sequence[str]) -> list[LabelNames]:
    """The tree without values that no message has: an organisation knows which of them its departments use."""
    return [entry for entry in names if entry.value in values]


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="", help="one of: labels, none, tree, few, speed")
    arguments = parser.parse_args()
    folds = Folds(read_history(arguments.data / MESSAGES))
    names = read_names(arguments.data / TREE)
    used = known_values(names, folds.values)
    tasks: dict[str, Callable[[], dict[str, Any]]] = {
        "labels": lambda: whole_and_titles(folds),
        "none": lambda: {"no_labels": few_labels(folds, used, 0)},
        "tree": lambda: {"no_labels_whole_tree": few_labels(folds, names, 0)},
        "few": lambda: {"few_labels": few_labels(folds, used, FEW)},
        "speed": lambda: {"speed": speed(folds)},
    }
    figures: dict[str, Any] = {}
    for name, task in tasks.items():
        if arguments.only in ("", name):
            figures |= task()
            sys.stdout.write(f"{name}: {figures}\n")
            sys.stdout.flush()
    write_figures("triage_classifier", figures)


if __name__ == "__main__":
    main()
