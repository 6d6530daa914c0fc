"""The kubeconfig at a path that stays the same, so that a shell is set up once for all starts."""

import fcntl
import shutil
from pathlib import Path
from typing import IO


class PublishedKubeconfig:
    """A copy of an environment's kubeconfig; one environment at a time has the path."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    def publish(self, source: Path) -> bool:
        """Copy a kubeconfig to the path; false where another environment that runs has it."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (self.path.parent / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        # The system gives it back when the process ends, however it ends.
        self._lock = lock
        shutil.copyfile(source, self.path)
        self.path.chmod(0o600)
        return True

    def withdraw(self) -> None:
        """Remove the copy, if it is this environment's: what it leads to is gone."""
        if self._lock is None:
            return
        self.path.unlink(missing_ok=True)
        self._lock.close()
        self._lock = None
