"""A folder for somebody outside, which appears whole or not at all; knows nothing of what is in it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counterfeit_risk.errors import UsageError, WorkError


@contextmanager
def whole_folder(out: Path, what: str) -> Iterator[Path]:
    """Yields a folder to write to, which takes its name in the end, or never.

    Args:
        out: the name; nothing may be there yet.
        what: is written, in a word.

    Raises:
        UsageError: if something is there.
        WorkError: if it cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} is there already; {what} is never overwritten, name a new folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{what}-") as staging:
            folder = Path(staging) / what  # the folder around it is for this user alone
            folder.mkdir()
            yield folder
            folder.rename(out)
    except OSError as error:
        raise WorkError(f"cannot write the {what} to {out}: {error}") from None
