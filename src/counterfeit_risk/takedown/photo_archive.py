"""Photos by the hash of their bytes, kept as they were when people were asked about them.

A seller can change a listing's photos; what a decision rested on must be there to show. Knows no database.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from counterfeit_risk.errors import WorkError

_KEY = re.compile("[0-9a-f]{64}")


class PhotoArchive:
    """A folder of photos, each whole or not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where a photo lies, if it is kept; `key` is the sha256 of its bytes in hex."""
        return self.folder / key[:2] / key

    def keys(self, *, kept_before: datetime) -> Iterator[str]:
        """Names of the photos that were last brought before then; whatever else lies in the folder is none of ours."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                is_ours = _KEY.fullmatch(path.name) and path.name.startswith(folder.name)
                if is_ours and path.stat().st_mtime < kept_before.timestamp():
                    yield path.name

    def remove(self, key: str) -> None:
        """Removes a photo, if it is kept.

        Raises:
            WorkError: if it cannot be removed.
        """
        try:
            self.path(key).unlink(missing_ok=True)
        except OSError as error:
            raise WorkError(f"cannot remove a photo from {self.folder}: {error}") from None

    def keep(self, key: str, data: bytes) -> None:
        """Keeps a photo, once, and notes when it was last brought.

        Raises:
            WorkError: if it cannot be written.
        """
        path = self.path(key)
        try:
            if path.exists():
                path.touch()
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".partial", delete=False) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(path)
        except OSError as error:
            raise WorkError(f"cannot keep a photo in {self.folder}: {error}") from None

    def read(self, key: str) -> bytes | None:
        """A photo's bytes; None where it is not kept, or is no longer what it was."""
        if not _KEY.fullmatch(key):  # it may be foreign, and name a place outside of the folder
            return None
        try:
            data = self.path(key).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == key else None
