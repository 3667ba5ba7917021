"""Reads and writes a model: arrays in one .npz file, and its SHA-256 in a file beside it."""

import errno
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.triage.domain.classifier.ngrams import VIEWS
from services.triage.domain.classifier.text_model import LabelHead, TextModel

FORMAT: Final = 1
MAX_BYTES: Final = 64 << 20
"""Bound of a model, packed and unpacked: a file that claims more is refused before it takes the service's memory."""
HASH_SUFFIX: Final = ".sha256"
_MAX_LABELS: Final = 16
_VERSION_LENGTH: Final = 12
_HEAD_DTYPES: Final = {
    "feature_weights": np.float32,
    "weights": np.float32,
    "bias": np.float64,
    "slopes": np.float64,
    "offsets": np.float64,
    "temperature": np.float64,
    "priors": np.float64,
}


class ModelFileError(ValueError):
    """A file that is no model of ours or cannot become one; the message names the file, the rule and the remedy."""


def check_target(path: Path) -> None:
    """Raise `ModelFileError` if no model can be written there: before a training that takes minutes."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        temporary = _temporary(path)
        temporary.touch()
        temporary.unlink()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror}); name a file in a folder that you may write to") from error


def write_model(path: Path, model: TextModel, report: Mapping[str, Any]) -> str:
    """Write the model and its hash, each replaced whole; returns its version, the first characters of the hash."""
    arrays: dict[str, NDArray[Any]] = {
        "keys": model.keys,
        "views": model.views,
        "signs": model.signs,
        "view_weights": model.view_weights,
        "reference": model.reference,
    }
    for number, head in enumerate(model.heads):
        arrays |= {f"{name}_{number}": getattr(head, name) for name in _HEAD_DTYPES}
    labels = [{"label": head.label, "values": list(head.values)} for head in model.heads]
    about = json.dumps({"format": FORMAT, "labels": labels, "report": report}, ensure_ascii=False, sort_keys=True)
    arrays["about"] = np.frombuffer(about.encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub reads the names as its own arguments
    packed = buffer.getvalue()
    digest = hashlib.sha256(packed).hexdigest()
    # The model first: between the two a reader finds a hash that does not match, keeps the old model and reads again.
    _replace(path, packed)
    _replace(hash_path(path), f"{digest}  {path.name}\n".encode())
    return digest[:_VERSION_LENGTH]


def read_model(path: Path) -> TextModel:
    """The model of a file; raises `ModelFileError` if the hash differs, an array has another type or shape, or anything is pickled."""
    packed = _read_checked(path)
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path.name}: is no .npz file of plain arrays; write it by `jiesu triage train`") from error
    try:
        model = _model(arrays, hashlib.sha256(packed).hexdigest()[:_VERSION_LENGTH])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path.name}: its arrays do not make a model; write it by this version's `jiesu triage train`") from error
    return model


def hash_path(path: Path) -> Path:
    """The file with the model's hash."""
    return path.with_name(path.name + HASH_SUFFIX)


def _read_checked(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelFileError(f"{path.name}: has {size} bytes, at most {MAX_BYTES} are read; train it on fewer messages")
        packed = path.read_bytes()
        expected = hash_path(path).read_text(encoding="ascii").split()[:1]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{path.name or path}: cannot be read with its hash {path.name}{HASH_SUFFIX}; put both into the folder"
        ) from error
    if expected != [hashlib.sha256(packed).hexdigest()]:
        raise ModelFileError(f"{path.name}: its SHA-256 is not the one of {path.name}{HASH_SUFFIX}; copy both files again")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ModelFileError(f"{path.name}: is no .npz file of plain arrays; write it by `jiesu triage train`") from error
    if unpacked > MAX_BYTES:
        raise ModelFileError(f"{path.name}: unpacks to {unpacked} bytes, at most {MAX_BYTES} are read; train it on fewer messages")
    return packed


def _model(arrays: Mapping[str, NDArray[Any]], version: str) -> TextModel:
    about = json.loads(_array(arrays, "about", np.uint8).tobytes())
    if about["format"] != FORMAT or not 0 < len(about["labels"]) <= _MAX_LABELS:
        raise ValueError("format or labels")
    keys = _array(arrays, "keys", np.uint64)
    views = _array(arrays, "views", np.int8, keys.shape)
    if keys.ndim != 1 or len(np.unique(keys)) != len(keys) or (len(views) and not 0 <= views.min() <= views.max() < VIEWS):
        raise ValueError("keys or views")
    heads = [_head(arrays, number, entry, len(keys)) for number, entry in enumerate(about["labels"])]
    return TextModel(
        version,
        keys,
        views,
        _array(arrays, "signs", np.bool_, keys.shape),
        _array(arrays, "view_weights", np.float64, (VIEWS,)),
        tuple(heads),
        _array(arrays, "reference", np.float64),
        about["report"],
    )


def _head(arrays: Mapping[str, NDArray[Any]], number: int, entry: Mapping[str, Any], features: int) -> LabelHead:
    values = tuple(str(value) for value in entry["values"])
    size = len(values)
    if size < 2 or len(set(values)) != size:  # noqa: PLR2004 - one value leaves nothing to decide
        raise ValueError("values")
    shapes = {"feature_weights": (features,), "weights": (features, size), "bias": (size,)}
    shapes |= {"slopes": (size,), "offsets": (size,), "temperature": (), "priors": (size,)}
    of_head = {name: _array(arrays, f"{name}_{number}", dtype, shapes[name]) for name, dtype in _HEAD_DTYPES.items()}
    return LabelHead(str(entry["label"]), values, **of_head)


def _array(arrays: Mapping[str, NDArray[Any]], name: str, dtype: Any, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    array = arrays[name]
    if array.dtype != dtype or (shape is not None and array.shape != shape):
        raise ValueError(name)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(name)
    return array


def _temporary(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _replace(path: Path, content: bytes) -> None:
    temporary = _temporary(path)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
