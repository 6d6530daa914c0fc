"""The command line of the plugin: commands, options and examples, and nothing that is slow to load.

Options may come before or after the command and its arguments, as with kubectl.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from controller import likeness
from controller.api import wording
from controller.display import streams
from controller.plugin.exit_codes import PROGRAM, ExitCode

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

SHELLS = ("bash", "zsh", "fish")
MOST_PARALLEL = 500
FORMATS = ("text", "json", "yaml")
# Of `tree`, where text is a tree.
TREE_FORMATS = ("tree", "json", "yaml", "dot", "mermaid")
MOST_LEVELS = 500
_WITHOUT_CLUSTER = ("completion", "version")
# Those of the resource, whose own module takes longer to load than people wait for a Tab.
PHASES = (
    "Pending",
    "Waiting",
    "Running",
    "AwaitingConfirmation",
    "Succeeded",
    "Failed",
    "Skipped",
    "Canceled",
    "TimedOut",
)
# How long the operator may take for what it does at once.
PROMPT_SECONDS = 60.0

# Of names that a word is a part of.
_MOST_MEANT = 3
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_KINDS = ("schain", "stackchain", "stackchains", "stackchains.stackchain.dev")
_STACK_ID = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,127}")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command as its help shows it; `options` are those besides the shared ones."""

    name: str
    help: str
    examples: tuple[tuple[str, str], ...]
    positionals: tuple[str, ...] = ("name",)
    options: tuple[str, ...] = ()


COMMANDS = (
    Command(
        name="tree",
        help="show the stacks of a chain in their order, and what each one does",
        examples=(
            ("tree prod", "the stacks as they are now"),
            ("tree prod -w", "follow them until nothing more happens automatically"),
            ("tree prod --failed", "only what did not succeed"),
            ("tree prod --phase Waiting,Running", "only what is in these phases"),
            ("tree prod --stack vpc", "one stack, with everything upstream and downstream of it"),
            ("tree prod -o json", "for programs; `-o dot` and `-o mermaid` draw the graph"),
        ),
        options=("watch", "selection", "tree-output"),
    ),
    Command(
        name="list",
        help="list the chains and the state of each",
        examples=(
            ("list", "the chains of the namespace"),
            ("list -A", "the chains of all namespaces"),
        ),
        positionals=(),
        options=("all-namespaces", "output"),
    ),
    Command(
        name="wait",
        help="wait until nothing more happens automatically; the exit code says how it ended",
        examples=(("wait prod --timeout 1h", "for a script; nothing is shown meanwhile"),),
        options=("timeout", "output"),
    ),
    Command(
        name="explain",
        help="say what a chain waits for, and what to do",
        examples=(("explain prod", "why it does not continue, and the next command"),),
        options=("output",),
    ),
    Command(
        name="history",
        help="list the runs of a chain, the newest first",
        examples=(("history prod", "its latest run and those that the status keeps"),),
        options=("output",),
    ),
    Command(
        name="run",
        help="request a run of all stacks",
        examples=(
            ("run prod", "request it, and return at once"),
            ("run prod --wait --timeout 1h", "follow it; the exit code says how it ended"),
            ("run prod --dry-run", "say what would be written, and what it would do"),
        ),
        options=("dry-run", "wait", "output"),
    ),
    Command(
        name="retry",
        help="run again what did not succeed in the latest run, and keep the rest",
        examples=(
            ("retry prod", "retry the latest run"),
            ("retry prod 7 --wait", "only if run 7 is still the latest"),
            (
                "retry prod --stack vpc,eks",
                "these stacks and what they held up, also in a live run",
            ),
        ),
        positionals=("name", "number"),
        options=("stacks", "dry-run", "wait", "output"),
    ),
    Command(
        name="bypass",
        help="vouch for stacks of the latest run: they count as done without a run",
        examples=(
            ("bypass prod vpc", "its dependents start as if it had succeeded"),
            ("bypass prod vpc eks --dry-run", "say what would be written, and what it would do"),
        ),
        positionals=("name", "stacks"),
        options=("dry-run", "wait", "output"),
    ),
    Command(
        name="approve",
        help="approve a stage that waits for it, so that its stacks start",
        examples=(
            ("approve shop live", "the stage live of the run that is live now"),
            ("approve shop live --dry-run", "say what would be written, and what it would do"),
        ),
        positionals=("name", "stage"),
        options=("dry-run", "wait", "output"),
    ),
    Command(
        name="cancel",
        help="cancel the live run and stop its Spacelift runs",
        examples=(
            ("cancel prod", "cancel the run that is live now"),
            ("cancel prod 7 --wait", "only if that is run 7, and wait until it is over"),
        ),
        positionals=("name", "number"),
        options=("dry-run", "wait", "output"),
    ),
    Command(
        name="suspend",
        help="start no more stacks; runs in progress finish",
        examples=(("suspend prod", "pause the chain"),),
        options=("dry-run", "wait", "output"),
    ),
    Command(
        name="resume",
        help="let a suspended chain continue",
        examples=(("resume prod", "continue"),),
        options=("dry-run", "wait", "output"),
    ),
    Command(
        name="parallelism",
        help="change how many stacks may run at once, also in a live run",
        examples=(("parallelism prod 3", "three at a time"),),
        positionals=("name", "bound"),
        options=("dry-run", "wait", "output"),
    ),
    Command(
        name="plan",
        help="show which stacks a chain would run, and in which order, before it is applied",
        examples=(
            ("plan -f chain.yaml", "the file's chain; nothing is run"),
            ("kustomize build . | kubectl stackchain plan -", "from standard input"),
        ),
        positionals=("file",),
        options=("all", "timeout", "output"),
    ),
    Command(
        name="ui",
        help="open a page in the browser: all chains, and each one as a graph",
        examples=(
            ("ui", "the chains of the namespace"),
            ("ui prod", "one chain"),
            ("ui -A --no-browser", "all namespaces; only print the address"),
        ),
        positionals=("any-name",),
        options=("all-namespaces", "browser"),
    ),
    Command(
        name="open",
        help="open the latest run in Temporal, or one of its stacks in Spacelift",
        examples=(
            ("open prod", "the run's timeline, in the browser"),
            ("open prod vpc", "what holds the stack up, or its run"),
            ("open prod vpc --no-browser", "only print the link"),
        ),
        positionals=("name", "any-stack"),
        options=("no-browser", "output"),
    ),
    Command(
        name="version",
        help="print the version of this plugin",
        examples=(("version", "the plugin's version; the operator's is in its metrics"),),
        positionals=(),
    ),
    Command(
        name="completion",
        help="print the completion script for a shell: bash, zsh or fish",
        examples=(("completion bash", "for `source <(kubectl stackchain completion bash)`"),),
        positionals=("shell",),
    ),
)


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """End with the exit code for wrong usage."""
        self.exit(ExitCode.USAGE, f"{PROGRAM}: {message}; see `{self.prog} --help`\n")

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        """Write as the commands do: argparse passes over an output that cannot be written."""
        is_output = file is sys.stdout
        if is_output:
            streams.send(sys.stdout, message)
        else:
            streams.complain(message)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the user wants; help and wrong usage end the process."""
    top = top_parser()
    parsed = top.parse_args(arguments)
    if parsed.version:
        # As with other programs, whatever else is said.
        parsed.command, parsed.rest = "version", []
    if parsed.command is None:
        top.print_help()
        top.exit()
    command = find(parsed.command)
    if command is None:
        names = [one.name for one in COMMANDS]
        top.error(f"there is no command {parsed.command!r}{similar(parsed.command, names)}")
    parser = command_parser(command)
    rest, parsed.rest = parsed.rest, None
    wanted = parser.parse_intermixed_args(rest, parsed)
    if getattr(wanted, "watch", False) and wanted.output in ("dot", "mermaid"):
        parser.error(f"-w cannot be used with -o {wanted.output}")
    if getattr(wanted, "depth", None) is not None:
        if wanted.output in ("dot", "mermaid"):
            parser.error(f"--depth cannot be used with -o {wanted.output}")
        if wanted.failed or wanted.phase:
            parser.error("--depth cannot be used with --failed and --phase, which show a list")
    if getattr(wanted, "dry_run", False) and wanted.wait:
        parser.error("--dry-run cannot be used with --wait")
    if getattr(wanted, "timeout", None) is not None and not getattr(wanted, "wait", True):
        parser.error("--timeout is for --wait")
    return wanted


def find(name: str) -> Command | None:
    """Return the command of that name."""
    return next((command for command in COMMANDS if command.name == name), None)


def top_parser() -> Parser:
    """Return the parser of what comes before the command's own arguments."""
    width = max(len(command.name) for command in COMMANDS)
    listed = "\n".join(f"  {command.name:<{width}}  {command.help}" for command in COMMANDS)
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COMMAND NAME [OPTIONS]",
        description="View and control StackChains, with your own rights in the cluster.",
        epilog=f"commands, each with its own --help:\n{listed}\n\n"
        "exit codes: 0 done; 1 the run did not succeed, or there is nothing to do; 2 wrong usage;\n"
        "  3 not found or forbidden; 4 the API server does not answer; 5 --timeout passed;\n"
        "  6 the output cannot be written",
        parents=[cluster_options()],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="the same as `version`")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def command_parser(command: Command) -> Parser:
    """Return the parser of one command."""
    examples = "\n".join(
        f"  # {what}\n  {line if line.startswith('kustomize') else f'{PROGRAM} {line}'}"
        for line, what in command.examples
    )
    parser = Parser(
        prog=f"{PROGRAM} {command.name}",
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        epilog=f"examples:\n{examples}",
        parents=[] if command.name in _WITHOUT_CLUSTER else [cluster_options()],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # Also of a command without the option.
    parser.set_defaults(output=FORMATS[0])
    for positional in command.positionals:
        _add_positional(parser, positional)
    for option in command.options:
        _add_option(parser, option, command)
    return parser


def cluster_options() -> argparse.ArgumentParser:
    """Return the options that every command shares."""
    # Suppressed defaults: an option before the command must not be undone by the command's parser.
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = shared.add_argument_group("cluster, as with kubectl")
    group.add_argument(
        "-n", "--namespace", metavar="NAMESPACE", type=namespace, help="default: the context's"
    )
    group.add_argument("--context", metavar="CONTEXT", help="default: the current one")
    group.add_argument("--kubeconfig", metavar="FILE", help="default: KUBECONFIG, ~/.kube/config")
    return shared


def _add_positional(parser: argparse.ArgumentParser, name: str) -> None:
    match name:
        case "name":
            parser.add_argument("name", metavar="NAME", type=chain_name, help="the StackChain")
        case "any-name":
            parser.add_argument(
                "name",
                metavar="NAME",
                type=chain_name,
                nargs="?",
                help="the StackChain; default: all of them",
            )
        case "number":
            parser.add_argument(
                "number",
                metavar="NUMBER",
                type=_whole(1),
                nargs="?",
                help="the run; default: the latest one",
            )
        case "bound":
            parser.add_argument(
                "bound", metavar="N", type=_whole(1, MOST_PARALLEL), help="1 to 500"
            )
        case "stage":
            parser.add_argument("stage", metavar="STAGE", help="the stage, by its name")
        case "any-stack":
            parser.add_argument(
                "stack", metavar="STACK", type=stack_id, nargs="?", help="the id of a stack"
            )
        case "stacks":
            parser.add_argument(
                "stacks", metavar="STACK", type=stack_id, nargs="+", help="ids of stacks"
            )
        case "file":
            parser.add_argument("file", metavar="FILE", nargs="?", help="`-` is standard input")
            parser.add_argument("-f", "--filename", metavar="FILE", help="the same as FILE")
        case "shell":
            parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")


def _add_option(parser: argparse.ArgumentParser, name: str, command: Command) -> None:
    match name:
        case "watch":
            parser.add_argument(
                "-w", "--watch", action="store_true", help="follow until nothing more happens"
            )
        case "stacks":
            parser.add_argument(
                "--stack",
                metavar="IDS",
                type=stack_ids,
                default=(),
                help="only these stacks and what they held up, separated by commas",
            )
        case "dry-run":
            parser.add_argument(
                "--dry-run",
                action="store_true",
                help="write nothing; say what would be written, and what it would do",
            )
        case "all":
            _add_all(parser)
        case "selection":
            _add_selection(parser)
        case "tree-output":
            parser.add_argument(
                "-o",
                "--output",
                choices=TREE_FORMATS,
                help="tree (the default), json, yaml, dot or mermaid",
            )
        case "all-namespaces":
            parser.add_argument(
                "-A", "--all-namespaces", action="store_true", help="the chains of all namespaces"
            )
        case "browser":
            parser.add_argument(
                "--port",
                metavar="PORT",
                type=_whole(0, 65535),
                default=0,
                help="the port on 127.0.0.1 to listen on; default: any free port",
            )
            _add_option(parser, "no-browser", command)
        case "no-browser":
            parser.add_argument(
                "--no-browser", action="store_true", help="print the address and open nothing"
            )
        case "output":
            parser.add_argument("-o", "--output", choices=FORMATS[1:], help="for programs")
        case "wait":
            parser.add_argument("--wait", action="store_true", help=_wait_help(command.name))
            parser.add_argument(
                "--timeout", metavar="TIME", type=duration, help=_timeout_help(command)
            )
        case "timeout":
            parser.add_argument(
                "--timeout", metavar="TIME", type=duration, help=_patience(command.name)
            )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which stacks")
    group.add_argument("--failed", action="store_true", help="only stacks that did not succeed")
    group.add_argument(
        "--phase",
        metavar="PHASES",
        type=phases,
        help="only stacks in these phases, separated by commas",
    )
    group.add_argument(
        "--stack",
        metavar="ID",
        help="only this stack, and everything upstream and downstream of it",
    )
    group.add_argument(
        "--depth",
        metavar="N",
        type=_whole(1, MOST_LEVELS),
        help="show this many levels of the tree",
    )
    _add_all(group)


def _add_all(group: argparse._ActionsContainer) -> None:
    group.add_argument("--all", action="store_true", help="show each stack in its own row")


def phases(text: str) -> frozenset[str]:
    """Read names of phases, in any case."""
    known = {phase.lower(): phase for phase in PHASES}
    found = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        phase = known.get(word.lower())
        if phase is None:
            raise argparse.ArgumentTypeError(
                f"there is no phase {word!r}{similar(word, known.values())}; "
                f"the phases are {', '.join(known.values())}"
            )
        found.add(phase)
    if not found:
        raise argparse.ArgumentTypeError("name at least one phase")
    return frozenset(found)


def stack_ids(text: str) -> tuple[str, ...]:
    """Read ids of stacks between commas."""
    return tuple(dict.fromkeys(stack_id(part.strip()) for part in text.split(",")))


def stack_id(text: str) -> str:
    """Read the id of a stack."""
    if not _STACK_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of a stack")
    return text


def _wait_help(name: str) -> str:
    if name in ("run", "retry", "bypass"):
        return "wait for the end of the run; the exit code says how it ended"
    if name == "cancel":
        return "wait until the run is over"
    return "wait until the operator has handled it"


def _patience(name: str) -> str:
    return f"how long to wait; default: {'no limit' if name == 'wait' else '1m'}"


def _timeout_help(command: Command) -> str:
    is_long = command.name in ("run", "retry", "bypass", "cancel")
    return (
        f"with --wait: how long, such as 90s, 10m or 2h; default: {'no limit' if is_long else '1m'}"
    )


def chain_name(text: str) -> str:
    """Read NAME, with the kind before it or without."""
    kind, slash, name = text.rpartition("/")
    if (slash and kind not in _KINDS) or not _NAME.fullmatch(name) or len(name) > 253:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a StackChain")
    return name


def namespace(text: str) -> str:
    """Read the name of a namespace; as with kubectl, an empty string means the default."""
    if text and not _NAMESPACE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a namespace")
    return text


def duration(text: str) -> float:
    """Read a duration: seconds, or numbers with units."""
    if re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0:
        return float(text)
    if re.fullmatch(r"([0-9]{1,6}[smhd])+", text):
        parts = re.findall(r"([0-9]+)([smhd])", text)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
        if seconds:
            return float(seconds)
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a valid duration; use a form such as 90s, 10m or 1h30m"
    )


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= (most or int(text)):
            return int(text)
        upper = f"{least} to {most}" if most else f"{least} or more"
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, {upper}")

    return read


def similar(word: str, known: Iterable[str]) -> str:
    """Return a hint at what a misspelled word, or a part of one, may mean; empty if at nothing."""
    names = sorted(known)
    # A letter is a part of too much.
    holding = [name for name in names if len(word) > 1 and word.lower() in name.lower()]
    meant = likeness.likeliest(word, names)
    if meant and len(holding) < 2:
        return f"; did you mean {meant!r}"
    if not holding:
        return ""
    one_of = "one of " if len(holding) > 1 else ""
    return f"; did you mean {one_of}{wording.listed(list(map(repr, holding)), most=_MOST_MEANT)}"
