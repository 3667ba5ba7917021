"""The folder in which a command keeps its data: created private, checked before anything starts."""

from pathlib import Path
from tempfile import TemporaryFile

from deploy.embedded.errors import EmbeddedServerError

_PRIVATE = 0o700
_OUR_CONTENTS = ("lock", "logs")


def prepare_data_folder(root: Path) -> None:
    """Create the folder with mode 0700 where it is missing; raises `EmbeddedServerError` where it cannot be used."""
    try:
        for folder in reversed([root, *root.parents]):
            if not folder.exists():
                folder.mkdir(_PRIVATE)
        # Databases, messages and logs hold personal data. A folder of the user's with other contents keeps its mode.
        if any((root / name).exists() for name in _OUR_CONTENTS):
            root.chmod(_PRIVATE)
        with TemporaryFile(dir=root):
            pass
    except NotADirectoryError as error:
        raise EmbeddedServerError(f"--root: {root} is not a folder, or lies below a file; name a folder.") from error
    except OSError as error:
        raise EmbeddedServerError(
            f"--root: {root} cannot be written ({error.strerror}); name another folder, or give this user the right to write there."
        ) from error
