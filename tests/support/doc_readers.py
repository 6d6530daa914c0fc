"""Readers of a page of the docs, who do what it says on a local environment of that page."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from devenv import simulator_process
from devenv.control_plane import credentials
from tests.support import chains, doc_blocks, doc_output
from tests.support import kube as kube_support
from tests.support.doc_blocks import Block, Command, Comment, Mark

SCENARIO = "examples/scenarios/docs.yaml"
# How much faster than for people, who want to see it.
_SPEED = 8
_SECONDS = 90.0
# Once something differed, there is no need to wait for what follows from it.
_SECONDS_AFTER = 5.0
_COMMAND_SECONDS = 220.0
_POLL_SECONDS = 0.3
_LOOKS = re.compile(r"kubectl (get|describe|events|stackchain (tree|explain|list|history|open))\b")
_WATCHES = re.compile(r" (--watch|-w)\b")
_SHOWN = ("examples", "charts", "crds", "plugin")
_SETTINGS = {
    # A notification says at once what a sweep finds later.
    "STACKCHAIN_SWEEP_SECONDS": "10",
}

# What commands of the pages use, and not every machine has: programs with their Debian packages.
PROGRAMS = {"jq": "jq", "column": "bsdextrautils", "curl": "curl", "openssl": "openssl"}

# A request that the operator has not seen yet leaves the status of the run before.
_UNTIL_SEEN = """seen='(.metadata.annotations["stackchain.dev/run"] // "") as $run
  | .metadata.generation == .status.observedGeneration
    and ($run == "" or $run == .status.lastHandled.run)'
until kubectl get schain "$1" -o json | jq --exit-status "$seen" > /dev/null; do
  [ $SECONDS -lt 200 ] || { kubectl get schain "$1" -o wide; exit 1; }
  sleep 0.3
done
"""
_IN_SPACELIFT = Path(__file__).with_name("in_spacelift.py")
_HELPERS = {
    "in-spacelift": f'exec {sys.executable} -S -E {_IN_SPACELIFT} "$SPACELIFT_ADMIN" "$@"',
    # NAME ROOT [FURTHER FIELDS OF THE SPEC, IN JSON]
    "apply-chain": """more=${3:-'{}'}
jq -n --arg name "$1" --arg root "$2" --argjson more "$more" '{
  apiVersion: "stackchain.dev/v1alpha1", kind: "StackChain", metadata: {name: $name},
  spec: ({roots: {stackIds: [$root]}} + $more)
}' | kubectl apply -f -""",
    # NAME REASON, of `Ready`
    "until-ready": _UNTIL_SEEN
    + """what='{.status.conditions[?(@.type=="Ready")].reason}'
until [ "$(kubectl get schain "$1" -o jsonpath="$what")" = "$2" ]; do
  [ $SECONDS -lt 200 ] || { kubectl get schain "$1" -o wide; exit 1; }
  sleep 0.3
done""",
    # NAME STACK PHASE
    "until-stack": _UNTIL_SEEN
    + """what="{.status.stacks[?(@.id=='$2')].phase}"
until [ "$(kubectl get schain "$1" -o jsonpath="$what")" = "$3" ]; do
  [ $SECONDS -lt 200 ] || { kubectl get schain "$1" -o wide; exit 1; }
  sleep 0.3
done""",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a page says and that is not so."""

    line: int
    command: str
    expected: Sequence[str]
    got: Sequence[str]
    code: int | None

    def __str__(self) -> str:
        said = ["    (exit code 0)"] if not self.expected else [f"    {x}" for x in self.expected]
        got = [f"    {x}" for x in self.got]
        return "\n".join(
            [
                f"line {self.line}: $ {self.command}",
                *("  the page says:", *said),
                *(f"  it prints, with exit code {self.code}:", *got),
            ]
        )


@dataclass
class Shell:
    """Bash in the reader's folder; what one command exports, the next ones have."""

    folder: Path
    environment: dict[str, str]
    patience: float = _COMMAND_SECONDS

    async def start(self, command: str, *, is_script: bool) -> asyncio.subprocess.Process:
        state = self.folder / ".exported"
        text = f"[ -e {state} ] && . {state}\n"
        text += f"set -e\n{command}\nset +e\n" if is_script else f"{command}\ncode=$?\n"
        text += f"export -p > {state}\nexit ${{code:-0}}\n"
        return await asyncio.create_subprocess_exec(
            *("bash", "-c", text),
            cwd=self.folder / "clone",
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    async def run(self, command: str, *, is_script: bool = False) -> tuple[int, list[str]]:
        process = await self.start(command, is_script=is_script)
        try:
            output, _ = await asyncio.wait_for(process.communicate(), self.patience)
        except TimeoutError:
            return -1, [f"did not end within {self.patience:g} s"]
        finally:
            _end(process)
            # Reads what is left too: a process whose output no one reads may not be seen to end.
            await process.communicate()
        return process.returncode or 0, output.decode().splitlines()


def _end(process: asyncio.subprocess.Process) -> None:
    # Its children too: a watch has some.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)


@dataclass
class Reader:
    """Reads one page."""

    release: chains.Installation
    shell: Shell
    differences: list[Difference] = field(default_factory=list)

    async def read(self, page: doc_blocks.Page) -> list[Difference]:
        """Do what a page says, from its top to its end, and return where it is wrong."""
        await self._take_account(SCENARIO)
        for part in page.parts:
            if isinstance(part, Comment):
                await self._heed(part)
            elif Mark.FILE in part.marks:
                self._write(part.marks[Mark.FILE], part.lines)
            elif part.is_run:
                await self._carry_out(part)
        return self.differences

    async def _heed(self, comment: Comment) -> None:
        if comment.mark is Mark.ACCOUNT:
            await self._take_account(comment.text)
        else:
            await self._script(comment.line, comment.text)

    async def _carry_out(self, block: Block) -> None:
        if hidden := block.marks.get(Mark.MEANWHILE):
            async with asyncio.TaskGroup() as both:
                both.create_task(self._script(block.line, hidden))
                both.create_task(self._visible(block))
        else:
            await self._visible(block)

    async def _visible(self, block: Block) -> None:
        for command in block.commands:
            if command.expected is None:
                await self._script(command.line, command.text)
            elif (name := _shown_file(command.text)) and not (self._clone / name).exists():
                self._write(name, command.expected)
            else:
                await self._compare(command, command.expected)

    async def _script(self, line: int, text: str) -> None:
        code, output = await self.shell.run(text, is_script=True)
        if code != 0:
            self.differences.append(Difference(line, text, (), output, code))

    async def _compare(self, command: Command, expected: Sequence[str]) -> None:
        if _WATCHES.search(command.text):
            code, got = await self._watched(command.text, expected)
            is_right = doc_output.comes_in_order(expected, got)
        else:
            code, got = await self._printed(command.text, expected)
            is_right = _is_right(expected, got, code)
        if not is_right:
            self.differences.append(Difference(command.line, command.text, expected, got, code))

    async def _printed(self, command: str, expected: Sequence[str]) -> tuple[int, list[str]]:
        """Run a command; one that only looks is run until it prints what the page shows."""
        deadline = self._deadline()
        while True:
            code, output = await self.shell.run(command)
            got = self._as_in_default(output)
            if not _LOOKS.match(command) or _is_right(expected, got, code):
                return code, got
            if time.monotonic() > deadline:
                return code, got
            await asyncio.sleep(_POLL_SECONDS)

    async def _watched(self, command: str, expected: Sequence[str]) -> tuple[int | None, list[str]]:
        """Start a watch, and read it until it has printed what the page shows."""
        process = await self.shell.start(command, is_script=False)
        assert process.stdout is not None
        got: list[str] = []
        try:
            async with asyncio.timeout(self._deadline() - time.monotonic()):
                async for line in process.stdout:
                    got += self._as_in_default([line.decode().rstrip("\n")])
                    if doc_output.comes_in_order(expected, got):
                        break
        except TimeoutError:
            pass
        finally:
            _end(process)
            await process.wait()
        return process.returncode, got

    def _deadline(self) -> float:
        return time.monotonic() + (_SECONDS_AFTER if self.differences else _SECONDS)

    def _as_in_default(self, lines: list[str]) -> list[str]:
        return [line.replace(self.release.namespace, "default") for line in lines]

    @property
    def _clone(self) -> Path:
        return self.shell.folder / "clone"

    def _write(self, name: str, lines: Sequence[str]) -> None:
        (self._clone / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    async def _take_account(self, scenario: str) -> None:
        text = (doc_blocks.ROOT / scenario).read_text(encoding="utf-8")
        document = simulator_process.with_api_key({**yaml.safe_load(text), "speed": _SPEED})
        await self.release.accounts["default"].admin("POST", "/reset", {"scenario": document})


def _is_right(expected: Sequence[str], got: Sequence[str], code: int) -> bool:
    has_failed = code != 0
    return doc_output.is_as_shown(expected, got) and doc_output.is_a_failure(expected) == has_failed


def _shown_file(command: str) -> str | None:
    match command.split():
        case ["cat", name]:
            return name
    return None


def why_not() -> str:
    """Return why pages cannot be read on this machine: empty if they can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return ""
    packages = ", ".join(PROGRAMS[name] for name in missing)
    return f"needs {', '.join(missing)}: install Debian's {packages}"


def folders_of_programs() -> list[str]:
    """Return where the programs are that pages use."""
    found = filter(None, map(shutil.which, PROGRAMS))
    return list(dict.fromkeys(str(Path(path).absolute().parent) for path in found))


@contextlib.asynccontextmanager
async def reading(parts: chains.Parts, folder: Path) -> AsyncIterator[Reader]:
    """Give a reader a separate local environment, in a clone of the repository."""
    release = chains.Installation(parts, folder, chains.Options(settings=_SETTINGS))
    try:
        await release.prepare()
        release.connect("default", allowedOperations=["Apply", "Plan", "Destroy"])
        await release.add_account("apps-account", {"stacks": ["app-base"]})
        roles = [release.role("operator"), release.role("worker")]
        for role in roles:
            role.start_without_waiting()
        for role in roles:
            await role.wait_ready()
        shell = Shell(release.directory, _environment(release))
        await _set_up(shell, parts)
        try:
            yield Reader(release, shell)
        finally:
            # The chains of the page, so that they are deleted with the rest.
            for name in await release.statuses():
                release.chain(name)
    finally:
        await release.close()


def _environment(release: chains.Installation) -> dict[str, str]:
    own = [str(release.directory / "bin"), str(Path(sys.executable).parent)]
    return {
        "PATH": os.pathsep.join([*own, *folders_of_programs(), os.defpath]),
        "HOME": str(release.directory),
        "KUBECONFIG": str(release.directory / "clone/.stackchain/kubeconfig"),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "SPACELIFT": release.accounts["default"].url,
        "SPACELIFT_ADMIN": release.accounts["default"].server.admin_url,
        "SPACELIFT_KEY": simulator_process.API_KEY.id,
        "SPACELIFT_SECRET_FILE": str(release.key_files("default")[1]),
    }


async def _set_up(shell: Shell, parts: chains.Parts) -> None:
    clone, programs = shell.folder / "clone", shell.folder / "bin"
    clone.mkdir()
    programs.mkdir()
    for name in _SHOWN:
        (clone / name).symlink_to(doc_blocks.ROOT / name)
    for name, text in _HELPERS.items():
        (programs / name).write_text(f"#!/usr/bin/env bash\n{text}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    # Where `make dev` has it, as the README says.
    (clone / ".stackchain").mkdir()
    (clone / ".venv").mkdir()
    (clone / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    namespace = shell.folder.name
    # A page that says `--all-namespaces` must not reach what other tests have.
    await _give_rights(parts.kube, namespace)
    plane = parts.control_plane
    text = credentials.kubeconfig_text(
        server=plane.url,
        ca_file=plane.ca_file,
        user=credentials.OPERATOR,
        token=plane.token_of(credentials.OPERATOR),
    )
    (clone / ".stackchain" / "kubeconfig").write_text(text, encoding="utf-8")
    code, output = await shell.run(
        f"kubectl config set-context --current --namespace={namespace}\n"
        # The API server takes the rights in a moment later.
        "until kubectl get schain; do sleep 0.2; done"
    )
    assert code == 0, output


async def _give_rights(kube: kube_support.KubeApi, namespace: str) -> None:
    """Give readers all rights in the namespace, and none elsewhere."""
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": credentials.OPERATOR}],
    }
    await kube.create(f"/apis/{group}/v1/namespaces/{namespace}/rolebindings", binding)
