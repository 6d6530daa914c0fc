"""Mounted YAML files of settings: read strictly, and read again when they change.

Problems are collected and name the file, the entry, what is wrong and what to do. Texts of a file
that cannot be read are not quoted: they could hold what should not be logged.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from controller.config import environment

logger = logging.getLogger(__name__)

Content = TypeVar("Content")
Parsed = TypeVar("Parsed")


class WatchedFile(Generic[Content]):
    """Always holds the last good content of a file."""

    def __init__(self, path: Path, read: Callable[[Path], Content], *, noun: str) -> None:
        """Read the file; `noun` says in the log what it holds, in the plural.

        Raises:
            SettingsError: it is malformed.
        """
        self._path = path
        self._parse = read
        self._noun = noun
        self._seen = self._stamp()
        self._content = read(path)

    def get(self) -> Content:
        """Return the content as the file has it now, or had it when it was last usable."""
        stamp = self._stamp()
        if stamp == self._seen:
            return self._content
        # Noted before reading: a bad file is reported once per change, not on every use.
        self._seen = stamp
        try:
            self._content = self._parse(self._path)
        except environment.SettingsError as error:
            logger.warning(
                "%s file is not usable, keeping the %s read before",
                self._noun.capitalize(),
                self._noun,
                extra={"file": str(self._path), "problems": list(error.problems)},
            )
        else:
            logger.info("%s read again", self._noun.capitalize(), extra={"file": str(self._path)})
        return self._content

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            # A mounted ConfigMap changes by a swapped symlink: another inode, maybe an equal mtime.
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size


def read_yaml(path: Path) -> object:
    """Return the document of a YAML file.

    Raises:
        SettingsError: it cannot be read; the text is not quoted.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise environment.SettingsError(f"{path}: cannot be read: {why}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise environment.SettingsError(f"{path}: is no valid YAML{line}; mend it") from None


class Entry:
    """One map of a file: fields are taken out one by one, and what is left is unknown."""

    def __init__(self, where: str, entry: object, problems: list[str]) -> None:
        self._where = where
        self._problems = problems
        self._entry: dict[str, Any] = (
            {str(key): value for key, value in entry.items()} if isinstance(entry, dict) else {}
        )
        if not isinstance(entry, dict):
            self.problem("must be a map")

    def problem(self, what: str) -> None:
        """Note what is wrong and what to do."""
        self._problems.append(f"{self._where} {what}")

    def take(self, key: str) -> Any:
        """Return a field as it is; None if it is not there."""
        return self._entry.pop(key, None)

    def text(self, key: str) -> str | None:
        """Return a text; None if it is not there, or empty."""
        value = self.take(key)
        if value is not None and not isinstance(value, str):
            self.problem(f"{key} must be a text")
            return None
        return value or None

    def parsed(self, key: str, parse: Callable[[str], Parsed]) -> Parsed | None:
        """Return a parsed text; None if it is not there or wrong."""
        text = self.text(key)
        try:
            return parse(text) if text is not None else None
        except ValueError as error:
            self.problem(f"{key} is not usable: it {error}")
            return None

    def words(self, key: str, parse: Callable[[str], Parsed]) -> tuple[Parsed, ...] | None:
        """Return a list of words, each once, as ordered there; None if it is not there."""
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.problem(f"{key} must be a list")
            return None
        words: dict[Parsed, None] = {}
        for item in value:
            try:
                words[parse(str(item))] = None
            except ValueError as error:
                self.problem(f"{key}: {str(item)[:64]!r} is not usable: it {error}")
        return tuple(words)

    def texts(self, key: str) -> dict[str, str]:
        """Return a map of texts."""
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            self.problem(f"{key} must be a map of texts")
            return {}
        return {str(name): text for name, text in value.items()}

    def end(self) -> None:
        """Note what nobody has asked for."""
        for key in self._entry:
            self.problem(f"has an unknown field {key[:64]}; remove it")
