"""A verdict journal whose folder is in an S3 store: an act is there before anybody is told.

The whole journal is sent again with each act (some hundred bytes a verdict). The store is asked
to take it only over the version that was read or written last, so that of two reviews of one
folder the second is refused instead of losing what the first did.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from geomatch.core import paths
from geomatch.core.errors import DataError, GeomatchError
from geomatch.core.paths import Location
from geomatch.review.desk.journal import Act, Journal


class MirroredJournal(Journal):
    """A journal on this machine's disk, and in an S3 store.

    Parameters
    ----------
    file : Path
        Where it lies here; replaced by what the store has.
    remote : ``s3://…``
        Where it lies there; made by the first act.
    """

    def __init__(self, file: Path, remote: Location) -> None:
        self.remote = remote
        content, self._version = paths.read_version(remote)
        paths.write_bytes(file, content)
        super().__init__(file)

    def append(self, acts: Sequence[Act]) -> None:
        """Write acts here and there; either all of them or none.

        Raises :class:`DataError` when the disk or the store refuses, or another review wrote
        the journal since.
        """
        before = self._end
        super().append(acts)
        try:
            self._version = paths.replace_version(
                self.remote, self.file.read_bytes(), self._version
            )
        except GeomatchError as error:
            os.ftruncate(self._handle, before)
            self._end = before
            raise DataError(f"journal {self.remote} cannot be written: {error}") from error
