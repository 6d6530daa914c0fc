"""The real Helm, for the tests of the chart: from the PATH, the cache, or built once.

`python -m tests.support.helm` gets it ready, as `make prepare` does, and prints where it is. No
registry that tests may use has Helm as a program, so the last resort is to compile it from its Go
module.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from devenv import settings, tools
from tests.support import go_programs

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "stackchain"
CI_VALUES = CHART / "ci"

_MAJOR = 4
_HELM_SECONDS = 240
_PROGRAM = go_programs.GoProgram(
    name="Helm",
    module=f"helm.sh/helm/v{_MAJOR}",
    folder=Path(__file__).parent / "helm_go",
    packages=(f"helm.sh/helm/v{_MAJOR}/cmd/helm",),
    takes="about 3 minutes on two cores",
    install="install Helm 4 (https://helm.sh/docs/intro/install), or Go 1.26 to have it compiled",
    stamp=f"helm.sh/helm/v{_MAJOR}/internal/version.version",
)

Body = dict[str, Any]


class HelmRefused(Exception):
    """Helm ended with an error; the text is what it printed on standard error."""


def find(cache_dir: Path) -> Path | None:
    """Return a Helm that is there: on the PATH if it is new enough, else in the cache."""
    on_path = shutil.which("helm")
    if on_path is not None and _major(on_path) >= _MAJOR:
        return Path(on_path)
    built = _PROGRAM.find(cache_dir)
    return built / "helm" if built is not None else None


def obtain(cache_dir: Path, say: tools.Say) -> Path:
    """Return a Helm, compiled first where there is none.

    Raises:
        DevError: there is no Go, or the build failed; the message says what to do.
    """
    return find(cache_dir) or _PROGRAM.obtain(cache_dir, say) / "helm"


def _major(program: str) -> int:
    done = subprocess.run([program, "version", "--short"], capture_output=True, check=False)
    found = re.match(rb"v(\d+)\.", done.stdout)
    return int(found[1]) if found else 0


def bodies(text: str) -> list[Body]:
    """Return the objects in a string; the definition is long, so this is the fast parser."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [body for body in yaml.load_all(text, Loader=loader) if body]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Helm:
    """Runs Helm with a separate home, so that it reads nothing of the person who tests."""

    program: Path
    home: Path
    kubeconfig: Path | None = None
    namespace: str = "stackchain-system"
    chart: Path = CHART

    def __call__(self, *arguments: str) -> str:
        """Run a command and return what it prints on standard output.

        Raises:
            HelmRefused: it failed.
        """
        done = subprocess.run(
            [self.program, *arguments],
            env=self._environment(),
            capture_output=True,
            check=False,
            text=True,
            timeout=_HELM_SECONDS,
        )
        if done.returncode != 0:
            raise HelmRefused(f"{done.stderr}{done.stdout}")
        return done.stdout

    def lint(self, *values: Path) -> str:
        """Lint the chart strictly with some values files."""
        return self("lint", "--strict", str(self.chart), *_files(values))

    def template(self, *files: Path, values: Mapping[str, Any] | None = None) -> list[Body]:
        """Render the chart as `helm install` would, tests included, and return its objects.

        Args:
            files: values files, in order.
            values: values on top of them.

        Raises:
            HelmRefused: the values are refused.
        """
        return bodies(self.render(*files, values=values))

    def render(self, *files: Path, values: Mapping[str, Any] | None = None) -> str:
        """Render the chart as one text; see `template`."""
        with self._values(values) as extra:
            given = _files([*files, *extra])
            where = f"--namespace={self.namespace}"
            return self("template", "release", str(self.chart), where, *given)

    def notes(self, *files: Path, values: Mapping[str, Any] | None = None) -> str:
        """Return what a person reads after `helm install`."""
        with self._values(values) as extra:
            given = _files([*files, *extra])
            shown = self(
                *("install", "release", str(self.chart), f"--namespace={self.namespace}"),
                *("--dry-run=client", "--output=yaml", *given),
            )
        return str(yaml.safe_load(shown)["info"]["notes"])

    def install(self, *files: Path, values: Mapping[str, Any] | None = None) -> str:
        """Install the release, without waiting for pods, and return what Helm prints."""
        return self._change("install", "--create-namespace", *files, values=values)

    def upgrade(self, *files: Path, values: Mapping[str, Any] | None = None) -> str:
        """Upgrade the release to these values."""
        return self._change("upgrade", *files, values=values)

    def _change(self, verb: str, *arguments: str | Path, values: Mapping[str, Any] | None) -> str:
        files = [argument for argument in arguments if isinstance(argument, Path)]
        options = [argument for argument in arguments if isinstance(argument, str)]
        with self._values(values) as extra:
            given = _files([*files, *extra])
            where = f"--namespace={self.namespace}"
            return self(verb, "release", str(self.chart), where, *options, *given)

    def _values(self, values: Mapping[str, Any] | None) -> "_ValuesFile":
        return _ValuesFile(self.home, values)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}  # noqa: TID251
        kubeconfig = self.kubeconfig or self.home / "no-kubeconfig"
        # It ends before its memory is worth looking for garbage: a quarter of its time.
        quick = {"GOGC": "off"}
        return {**kept, **quick, "HOME": str(self.home), "KUBECONFIG": str(kubeconfig)}


class _ValuesFile:
    """A values file that is there while Helm runs; none without values."""

    def __init__(self, folder: Path, values: Mapping[str, Any] | None) -> None:
        self._folder = folder
        self._values = values
        self._path: Path | None = None

    def __enter__(self) -> list[Path]:
        if not self._values:
            return []
        descriptor, name = tempfile.mkstemp(suffix=".yaml", dir=self._folder)
        os.close(descriptor)
        self._path = Path(name)
        self._path.write_text(yaml.safe_dump(dict(self._values)), encoding="utf-8")
        return [self._path]

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._path.unlink()


def _files(paths: Any) -> list[str]:
    return [f"--values={path}" for path in paths]


def main() -> int:
    """Get Helm ready and say where it comes from."""
    try:
        program = obtain(settings.load_dev_settings().cache_dir, _say)
    except (tools.DevError, settings.SettingsError) as error:
        _say(f"stackchain: {error}")
        return 1
    _say(f"Helm: {program}")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
