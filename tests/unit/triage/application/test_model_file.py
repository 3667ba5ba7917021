"""A model's file: read back as written; refused when changed, pickled, misshapen or too large."""

import hashlib
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.triage.application.models import model_file
from services.triage.application.models.classifying import Classifiers
from services.triage.application.models.model_file import ModelFileError, hash_path, read_model, write_model
from services.triage.domain.classifier.text_model import TextModel
from shared.runtime.errors import Misconfigured

TEXTS = [("电梯", "电梯停运"), ("", "the bill charges a month twice"), ("", "")]


@pytest.fixture
def path(tmp_path: Path, model: TextModel) -> Path:
    write_model(tmp_path / "model.npz", model, {"messages": 236})
    return tmp_path / "model.npz"


def sign(path: Path) -> None:
    hash_path(path).write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    np.savez(path, **arrays)
    sign(path)


def test_a_model_is_read_as_it_was_written(path: Path, model: TextModel) -> None:
    read = read_model(path)
    assert read.classify(TEXTS) == model.classify(TEXTS)
    assert (read.report, len(read.version)) == ({"messages": 236}, 12)


def test_a_changed_byte_is_refused(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="SHA-256"):
        read_model(path)


def test_a_missing_hash_is_refused(path: Path) -> None:
    hash_path(path).unlink()
    with pytest.raises(ModelFileError, match=r"model.npz.sha256"):
        read_model(path)


class Exploit:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pickle-was-executed",)


def test_a_pickled_array_is_refused_and_not_executed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    objects = np.empty(1, object)
    objects[0] = Exploit()
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, objects, allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keys.npy", buffer.getvalue())
    sign(path)
    with pytest.raises(ModelFileError, match="plain arrays"):
        read_model(path)
    path.write_bytes(pickle.dumps(Exploit()))
    sign(path)
    with pytest.raises(ModelFileError, match="plain arrays"):
        read_model(path)
    assert not Path("pickle-was-executed").exists()


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "an array is missing": lambda arrays: arrays.pop("weights_0"),
    "another type": lambda arrays: arrays.update(keys=arrays["keys"].astype(np.int64)),
    "another shape": lambda arrays: arrays.update(bias_0=arrays["bias_0"][:-1]),
    "signs of other features": lambda arrays: arrays.update(signs=arrays["signs"][:-1]),
    "no priors": lambda arrays: arrays.pop("priors_0"),
    "not a number": lambda arrays: arrays.update(offsets_0=arrays["offsets_0"] * np.nan),
    "a key twice": lambda arrays: arrays["keys"].__setitem__(1, arrays["keys"][0]),
    "an unknown view": lambda arrays: arrays["views"].__setitem__(0, 7),
    "another format": lambda arrays: arrays.update(about=np.frombuffer(b'{"format": 9, "labels": []}', np.uint8)),
    "no JSON": lambda arrays: arrays.update(about=np.frombuffer(b"{", np.uint8)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_arrays_that_make_no_model_are_refused(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    rewrite(path, change)
    with pytest.raises(ModelFileError, match="do not make a model"):
        read_model(path)


def test_a_file_that_unpacks_to_too_much_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "MAX_BYTES", path.stat().st_size + 10)
    with pytest.raises(ModelFileError, match="unpacks to"):
        read_model(path)


def test_a_replaced_model_is_served_without_restart_and_a_bad_one_is_not(path: Path, model: TextModel) -> None:
    classifiers = Classifiers(path)
    classifiers.prepare(TEXTS[:1])
    first = classifiers.predict(*TEXTS[0]).version
    second = write_model(path, model, {"messages": 237})
    classifiers.prepare(TEXTS[1:2])
    assert classifiers.predict(*TEXTS[0]).version == second != first
    path.write_bytes(b"half a file")
    classifiers.prepare(TEXTS[2:])
    assert classifiers.predict(*TEXTS[2]).version == second


def test_a_service_does_not_start_with_a_model_that_it_cannot_use(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read with its hash"):
        Classifiers(tmp_path / "absent.npz")


def test_without_a_model_nothing_is_predicted() -> None:
    assert Classifiers().active is None
