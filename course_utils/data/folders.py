"""Where downloads and built caches live on this machine."""

import os
from pathlib import Path


class DataFolderError(OSError):
    """The data folder cannot be written or read; the message names the folder and COURSE_DATA."""


def data_folder() -> Path:
    """The folder of downloads and built caches: `COURSE_DATA`, or a user cache folder when it is unset or empty.

    The folder is not created here: reading from an existing read-only folder must stay possible.
    """
    named = os.environ.get("COURSE_DATA", "").strip()
    if named:
        return Path(named).expanduser().absolute()
    import pooch  # here, because importing it takes longer than everything else in this file

    return Path(pooch.os_cache("generative-models-course"))
