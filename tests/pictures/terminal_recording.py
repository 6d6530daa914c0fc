"""Records what a command shows on a separate terminal: its screen, whenever it changed."""

import asyncio
import codecs
import fcntl
import os
import pty
import struct
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.pictures import terminal_screen

# A redraw may arrive in several pieces.
_QUIET_SECONDS = 0.05
_PIECE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Frame:
    """What the screen showed from a time on, and what people did last."""

    seconds: float
    rows: tuple[terminal_screen.Row, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """Columns and rows of a terminal."""

    columns: int
    rows: int


@dataclass
class Recording:
    """A command that runs on a terminal, and the frames of it until now."""

    process: asyncio.subprocess.Process
    screen: terminal_screen.Screen
    frames: list[Frame] = field(default_factory=list)
    caption: str = ""
    """What people do meanwhile; frames from now on have it."""
    _started: float = field(default_factory=time.monotonic)
    _arrived: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)

    async def follow(self) -> None:
        """Take frames until the command has closed its terminal."""
        is_over = False
        while not is_over:
            pieces = [await self._arrived.get()]
            while pieces[-1] is not None:
                try:
                    pieces.append(await asyncio.wait_for(self._arrived.get(), _QUIET_SECONDS))
                except TimeoutError:
                    break
            is_over = pieces[-1] is None
            for piece in pieces:
                self.screen.feed(piece or "")
            self._take()

    def _take(self) -> None:
        rows = self.screen.shown()
        last = self.frames[-1] if self.frames else None
        if rows and (last is None or (rows, self.caption) != (last.rows, last.caption)):
            self.frames.append(Frame(time.monotonic() - self._started, rows, self.caption))

    def arrived(self, piece: str | None) -> None:
        """Take over what was read; None: there will be no more."""
        self._arrived.put_nowait(piece)


async def start(*command: str, size: Size, environment: Mapping[str, str]) -> Recording:
    """Start a command on a terminal of a size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**environment, "TERM": "xterm-256color", "LANG": "C.UTF-8"},
    )
    os.close(theirs)
    recording = Recording(process, terminal_screen.Screen(size.columns))
    decoder = codecs.getincrementaldecoder("utf-8")()
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            data = os.read(ours, _PIECE_BYTES)
        except OSError:
            # What Linux says once the other side has closed the terminal.
            data = b""
        recording.arrived(decoder.decode(data) if data else None)
        if not data:
            loop.remove_reader(ours)
            os.close(ours)

    loop.add_reader(ours, read)
    return recording
