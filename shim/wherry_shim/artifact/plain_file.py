"""Files that others wrote: read only if they are plain files of a size that was foreseen."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO


def plain_file(descriptor: int, limit: int) -> BinaryIO:
    """The open file, which owns the descriptor. Raises OSError for a device, pipe or folder, and above limit bytes."""
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= limit:
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISREG(status.st_mode):
        raise OSError(errno.EFBIG, f"{status.st_size} bytes, more than {limit}")
    raise OSError(errno.EINVAL, "not a plain file")
