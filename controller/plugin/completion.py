"""Completion: what may follow the words typed so far, for kubectl's own completion and for shells.

kubectl runs `kubectl_complete-stackchain` with all words after `kubectl stackchain`; the last one
may be empty. It reads one candidate per line, then a line with a number that says what to do with
files. The scripts for shells call the same program.
"""

import argparse
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from controller.config import environment, parsing, shell_settings
from controller.display import streams
from controller.plugin import arguments, completion_cache, exit_codes

if TYPE_CHECKING:
    from controller.plugin import cluster

# Of cobra, whose protocol it is.
FILES = 0
NO_FILES = 4

_TAKES_VALUE = {"-n", "--namespace", "--context", "--kubeconfig", "--timeout", "-o", "--output"}
_TAKES_VALUE |= {"-f", "--filename", "--phase", "--stack", "--depth", "--port"}
_FILE_OPTIONS = {"--kubeconfig", "-f", "--filename"}
_OUTPUTS = {"-o", "--output"}


def main() -> None:
    """Print what completes the words of the command line."""
    # It ends before there is any garbage worth looking for.
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    streams.prepare()
    candidates, directive = complete(sys.argv[1:])
    lines = [*candidates, f":{directive}"]
    try:
        streams.send(sys.stdout, "".join(f"{line}\n" for line in lines))
    # The user who pressed Tab is typing, so no message is printed.
    except streams.OutputClosed:
        sys.exit(exit_codes.ExitCode.OUTPUT_CLOSED)
    except streams.OutputFailed:
        sys.exit(exit_codes.ExitCode.OUTPUT_FAILED)


def complete(words: Sequence[str]) -> tuple[list[str], int]:
    """Return the candidates for the last word, and whether a file name may follow too."""
    *before, last = words or [""]
    option = before[-1] if before else ""
    if option in _FILE_OPTIONS:
        return [], FILES
    typed = list(_positionals(before))
    command = arguments.find(typed[0]) if typed else None
    if option in _TAKES_VALUE:
        found = _values(option, command, before, typed)
        is_list = command is not None and "stacks" in command.options and option == "--stack"
        return _in_list(last, found) if is_list else _starting(last, found), NO_FILES
    if last.startswith("-"):
        return _starting(last, _options(command)), NO_FILES
    if not typed:
        described = (f"{one.name}\t{one.help}" for one in arguments.COMMANDS)
        return _starting(last, described), NO_FILES
    if command is None:
        return [], NO_FILES
    place = len(typed) - 1
    if command.positionals[-1:] == ("stacks",):
        place = min(place, len(command.positionals) - 1)
    if place >= len(command.positionals):
        return [], NO_FILES
    return _argument(command.positionals[place], last, before, typed)


def _argument(
    kind: str, last: str, before: Sequence[str], typed: Sequence[str]
) -> tuple[list[str], int]:
    match kind:
        case "file":
            return [], FILES
        case "shell":
            return _starting(last, arguments.SHELLS), NO_FILES
        case "name" | "any-name":
            return _starting(last, _ask_names(before)), NO_FILES
        case "stacks":
            known = [one for one in _ask_stacks(before, typed[1]) if one not in typed[2:]]
            return _starting(last, known), NO_FILES
        case "any-stack":
            return _starting(last, _ask_stacks(before, typed[1])), NO_FILES
        case "stage":
            return _starting(last, _ask_stages(before, typed[1])), NO_FILES
        case "number":
            return _starting(last, _ask_number(before, typed[1])), NO_FILES
    return [], NO_FILES


def _values(
    option: str,
    command: arguments.Command | None,
    before: Sequence[str],
    typed: Sequence[str],
) -> Sequence[str]:
    if option in _OUTPUTS:
        is_tree = command is not None and command.name == "tree"
        return arguments.TREE_FORMATS if is_tree else arguments.FORMATS[1:]
    if option == "--phase":
        return arguments.PHASES
    return _ask_stacks(before, typed[1]) if option == "--stack" and len(typed) > 1 else ()


def _options(command: arguments.Command | None) -> list[str]:
    parser = arguments.command_parser(command) if command else arguments.top_parser()
    actions = parser._actions
    return sorted(name for action in actions for name in action.option_strings)


def _positionals(words: Sequence[str]) -> Iterator[str]:
    is_value = False
    for word in words:
        if is_value:
            is_value = False
        elif word in _TAKES_VALUE:
            is_value = True
        elif not word.startswith("-") or word == "-":
            yield word


def _starting(last: str, candidates: Iterable[str]) -> list[str]:
    return [candidate for candidate in candidates if candidate.startswith(last)]


def _in_list(last: str, candidates: Iterable[str]) -> list[str]:
    """Complete the last of several, between commas."""
    head, comma, part = last.rpartition(",")
    taken = head.split(",")
    return [
        f"{head}{comma}{one}" for one in candidates if one.startswith(part) and one not in taken
    ]


def _ask_names(before: Sequence[str]) -> list[str]:
    async def read(chains: "cluster.UserChains") -> list[str]:
        return await chains.names()

    return _asked(before, ("names",), read)


def _ask_number(before: Sequence[str], name: str) -> list[str]:
    async def read(chains: "cluster.UserChains") -> list[str]:
        latest = (await chains.get(name)).status.latest_run
        return [str(latest.number)] if latest is not None else []

    return _asked(before, ("number", name), read)


def _ask_stacks(before: Sequence[str], name: str) -> list[str]:
    async def read(chains: "cluster.UserChains") -> list[str]:
        return [stack.id for stack in (await chains.get(name)).status.stacks]

    return _asked(before, ("stacks", name), read)


def _ask_stages(before: Sequence[str], name: str) -> list[str]:
    async def read(chains: "cluster.UserChains") -> list[str]:
        from controller.plugin import user_requests

        return user_requests.stages_to_approve(await chains.get(name))

    return _asked(before, ("stages", name), read)


_Read = Callable[["cluster.UserChains"], Coroutine[None, None, list[str]]]


def _asked(before: Sequence[str], question: Sequence[str], read: _Read) -> list[str]:
    """Ask the cluster; if that fails, complete nothing and print nothing about it."""
    try:
        wanted = _cluster_parser().parse_known_args(before)[0]
    except argparse.ArgumentError:
        return []
    kubeconfig: str | None = getattr(wanted, "kubeconfig", None)

    def ask() -> list[str] | None:
        # Loaded only if the cluster is asked: everything else completes at once.
        import asyncio

        try:
            return asyncio.run(_ask(wanted, read))
        except (
            exit_codes.CommandError,
            environment.SettingsError,
            TimeoutError,
            asyncio.CancelledError,
        ):
            return None

    try:
        shell = shell_settings.load_plugin_settings(kubeconfig=kubeconfig)
    except environment.SettingsError:
        return []
    if shell.cache_folder is None:
        return ask() or []
    folder = shell.cache_folder / "completion"
    return completion_cache.answer(folder, (*_whom(wanted, shell), *question), ask)


def _whom(wanted: argparse.Namespace, shell: shell_settings.PluginSettings) -> list[str]:
    """Return what distinguishes clusters and users, including the kubeconfig as it is now."""
    parts = str(shell.kubernetes.kubeconfig or "~/.kube/config").split(os.pathsep)
    found = [str(getattr(wanted, name, None)) for name in ("namespace", "context")]
    for path in map(parsing.below_home, parts):
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        found += [str(path.absolute()), str(changed)]
    return found


async def _ask(wanted: argparse.Namespace, read: _Read) -> list[str]:
    import asyncio

    from controller.plugin import cluster

    target, plugin = cluster.choose(wanted)
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        # An exec plugin is out of reach of Ctrl-C then, and is ended here.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    # The user has pressed Tab and is waiting: ask nothing at the terminal.
    async with (
        cluster.open_chains(target, is_attended=False) as chains,
        asyncio.timeout(plugin.completion_seconds),
    ):
        return await read(chains)


def _cluster_parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        parents=[arguments.cluster_options()],
        add_help=False,
        allow_abbrev=False,
        exit_on_error=False,
    )


def script(shell: str) -> str:
    """Return the script that a shell reads for `kubectl-stackchain`."""
    return _SCRIPTS[shell]


_SCRIPTS = {
    "bash": r"""# bash completion of kubectl-stackchain
_kubectl_stackchain() {
  local line directive
  local -a found=()
  COMPREPLY=()
  while IFS= read -r line; do
    found+=("$line")
  done < <(kubectl_complete-stackchain "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  ((${#found[@]})) || return 0
  directive=${found[${#found[@]} - 1]}
  unset "found[${#found[@]} - 1]"
  if [[ $directive == :0 ]]; then
    compopt -o default 2>/dev/null
    return 0
  fi
  for line in "${found[@]}"; do
    COMPREPLY+=("${line%%$'\t'*}")
  done
}
complete -F _kubectl_stackchain kubectl-stackchain
""",
    "zsh": r"""#compdef kubectl-stackchain
# zsh completion of kubectl-stackchain
_kubectl_stackchain() {
  local -a found described
  local directive
  found=("${(@f)$(kubectl_complete-stackchain "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  directive=$found[-1]
  found[-1]=()
  if [[ $directive == :0 ]]; then
    _files
    return
  fi
  described=("${(@)found/$'\t'/:}")
  _describe 'kubectl stackchain' described
}
compdef _kubectl_stackchain kubectl-stackchain
""",
    "fish": r"""# fish completion of kubectl-stackchain
function __kubectl_stackchain
    set -l words (commandline -opc) (commandline -ct)
    set -l found (kubectl_complete-stackchain $words[2..-1] 2>/dev/null)
    if test (count $found) -eq 0
        return
    end
    if test "$found[-1]" = ":0"
        __fish_complete_path (commandline -ct)
        return
    end
    if test (count $found) -gt 1
        printf '%s\n' $found[1..-2]
    end
end
complete -c kubectl-stackchain -f -a '(__kubectl_stackchain)'
""",
}
