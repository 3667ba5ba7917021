"""Keeps the service's models: reads them again when their files change, classifies a batch at once, and measures the shadow model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from services.triage import metrics
from services.triage.domain.classifier.prediction import Prediction
from shared.runtime.errors import Misconfigured

if TYPE_CHECKING:
    from services.triage.domain.classifier.drift import WordDrift
    from services.triage.domain.classifier.text_model import TextModel

_MAX_REMEMBERED: Final = 2_000
Texts = tuple[str, str]
log = structlog.get_logger()


class ModelSlot:
    """One model of the service, and the state of the file that it was read from."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: tuple[int, int, int] | None = None
        self.model: TextModel = self._read()

    def refresh(self) -> bool:
        """Read the model again if its file has changed; one that cannot be used leaves the old one in place. True: it was replaced."""
        # numpy, which the module imports, costs 20 MB; a triage without a model does not pay them.
        from services.triage.application.models.model_file import ModelFileError  # noqa: PLC0415

        if self._file_state() == self._state:
            return False
        try:
            self.model = self._read()
        except ModelFileError as error:
            metrics.MODEL_FAILURES.inc()
            log.warning("model not replaced", fault=str(error), version=self.model.version)
            return False
        log.info("model replaced", version=self.model.version)
        return True

    def _read(self) -> "TextModel":
        from services.triage.application.models.model_file import read_model  # noqa: PLC0415

        # The state first: a file that is replaced while it is read has another one, and is read again.
        state = self._file_state()
        model = read_model(self._path)
        self._state = state
        return model

    def _file_state(self) -> tuple[int, int, int] | None:
        from services.triage.application.models.model_file import hash_path  # noqa: PLC0415

        try:
            model, digest = self._path.stat(), hash_path(self._path).stat()
        except OSError:
            return None
        return model.st_mtime_ns, model.st_ino, digest.st_mtime_ns


class Classifiers:
    """The classifier and its shadow; without a model nothing is predicted. Raises `Misconfigured` for a model that cannot be used."""

    def __init__(self, path: Path | None = None, shadow: Path | None = None) -> None:
        self._slot = _open(path)
        self._shadow = _open(shadow)
        self._drift: WordDrift | None = None
        self._remembered: dict[Texts, Prediction] = {}
        if self._slot is not None:
            self._begin(self._slot.model)

    @property
    def active(self) -> "Classifiers | None":
        """The classifier if there is a model."""
        return self if self._slot is not None else None

    def predict(self, title: str, text: str) -> Prediction:
        """The prediction for reading copies; amended texts are classified one by one."""
        if (title, text) not in self._remembered:
            self._classify([(title, text)])
        return self._remembered[title, text]

    def prepare(self, texts: Sequence[Texts]) -> None:
        """Classify the texts of a batch at once, with the models that the files hold now."""
        if self._slot is None or not texts:
            return
        if self._slot.refresh():
            self._begin(self._slot.model)
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.clear()
        fresh = [pair for pair in dict.fromkeys(texts) if pair not in self._remembered]
        if fresh:
            self._classify(fresh)
            self._measure(fresh)

    def _begin(self, model: "TextModel") -> None:
        from services.triage.domain.classifier.drift import WordDrift  # noqa: PLC0415

        self._remembered.clear()
        self._drift = WordDrift(model.reference)
        metrics.initialise_labels(head.label for head in model.heads)

    def _classify(self, texts: Sequence[Texts]) -> None:
        if self._slot is not None:
            model = self._slot.model
            for pair, labels in zip(texts, model.classify(texts), strict=True):
                self._remembered[pair] = Prediction(model.version, labels)

    def _measure(self, texts: Sequence[Texts]) -> None:
        """Count what the shadow model would change, and measure the drift of the words since the training."""
        if self._slot is not None and self._drift is not None:
            self._drift.add(self._slot.model.count_features(texts[:_SAMPLED]).features)
            metrics.WORD_DRIFT.set(self._drift.divergence())
        if self._shadow is None:
            return
        self._shadow.refresh()
        shadowed = self._shadow.model.classify(texts)
        for pair, labels in zip(texts, shadowed, strict=True):
            metrics.count_shadow(self._remembered[pair], labels)


_SAMPLED: Final = 8
"""Texts of a batch whose words are counted for the drift: all of them would classify each text twice."""


def _open(path: Path | None) -> ModelSlot | None:
    if path is None:
        return None
    from services.triage.application.models.model_file import ModelFileError  # noqa: PLC0415

    try:
        return ModelSlot(path)
    except ModelFileError as error:
        raise Misconfigured(f"JIESU_CLASSIFIER or JIESU_SHADOW_CLASSIFIER: {error}") from error
