"""Runs the program of an exec plugin, and ends it when the caller has gone."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence


class ExecProgram:
    """Runs one program at a time, and none after `stop`.

    At a terminal it may ask the user and take as long as the user does, as under kubectl. For a
    completion it may ask no one. It then has its own session, without the terminal, which ends with
    all that it has started.
    """

    def __init__(self, *, is_attended: bool) -> None:
        """Run nothing yet."""
        self._is_attended = is_attended
        self._running: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._lock = threading.Lock()

    @property
    def has_terminal(self) -> bool:
        """Whether the program may ask the user."""
        return self._is_attended and sys.stdin is not None and sys.stdin.isatty()

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], *, is_interactive: bool
    ) -> tuple[int, bytes]:
        """Return how the program ended, and what it printed.

        Raises:
            OSError: it cannot be started.
            ValueError: its name or a variable is not one.
        """
        with self._lock:
            if self._is_stopped:
                raise OSError("the command has ended")
            # What it says on standard error is for the user: an address to open, a code.
            process = self._running = subprocess.Popen(  # noqa: S603 - the kubeconfig names it
                words,
                stdin=None if is_interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if self._is_attended else subprocess.DEVNULL,
                env=dict(environment),
                start_new_session=not self._is_attended,
            )
        try:
            output, _ = process.communicate()
        finally:
            with self._lock:
                self._running = None
        return process.returncode, output

    def stop(self) -> None:
        """End what runs."""
        with self._lock:
            self._is_stopped = True
            # Until it has been waited for, which is under way, no one else can get its number.
            if self._running is None or self._running.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if self._is_attended:
                    self._running.terminate()
                else:
                    os.killpg(self._running.pid, signal.SIGKILL)
