"""The command line: what is understood, and the one line for what is not."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.plugin import arguments, commands, request_commands
from controller.plugin.exit_codes import ExitCode
from tests.support.golden import Golden

UNDERSTOOD = {
    "a name": (["tree", "prod"], {"command": "tree", "name": "prod", "watch": False}),
    "the kind before the name": (["tree", "schain/prod"], {"name": "prod"}),
    "the whole kind": (["tree", "stackchains.stackchain.dev/prod"], {"name": "prod"}),
    "options before the command": (["-n", "team", "tree", "prod"], {"namespace": "team"}),
    "no namespace, as from an empty variable": (["tree", "prod", "-n", ""], {"namespace": ""}),
    "the longest namespace": (["tree", "prod", "-n", "a" * 63], {"namespace": "a" * 63}),
    "options behind it": (["tree", "prod", "-n", "team"], {"namespace": "team"}),
    "the later option wins": (["-n", "a", "tree", "prod", "-n", "b"], {"namespace": "b"}),
    "options between name and number": (
        ["retry", "prod", "-n", "team", "7"],
        {"name": "prod", "number": 7, "namespace": "team"},
    ),
    "no number": (["cancel", "prod"], {"number": None}),
    "a bound": (["parallelism", "prod", "3"], {"bound": 3}),
    "waiting": (["run", "prod", "--wait", "--timeout", "1h30m"], {"wait": True, "timeout": 5400}),
    "seconds": (["run", "prod", "--wait", "--timeout=90"], {"timeout": 90}),
    "output": (["history", "prod", "-ojson"], {"output": "json"}),
    "output for people": (["history", "prod"], {"output": "text"}),
    "standard input": (["plan", "-"], {"file": "-", "filename": None}),
    "a file as with kubectl": (["plan", "-f", "x.yaml"], {"file": None, "filename": "x.yaml"}),
    "a plan of all rows": (["plan", "-", "--all"], {"all": True}),
    "a plan is folded": (["plan", "-"], {"all": False}),
    "a plan may take its time": (["plan", "-", "--timeout", "5m"], {"timeout": 300}),
    "the version as an option": (["--version"], {"command": "version"}),
    "the version whatever else is said": (["--version", "tree", "prod"], {"command": "version"}),
    "a shell": (["completion", "fish"], {"shell": "fish"}),
}


@pytest.mark.parametrize(("words", "expected"), UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_understood(words: list[str], expected: dict[str, object]) -> None:
    wanted = vars(arguments.parse(words))

    assert {key: wanted[key] for key in expected} == expected


# What argparse says itself differs between versions of Python.
REFUSED_BY_ARGPARSE = {
    "no name": (["tree"], "required: NAME"),
    "two names": (["tree", "prod", "test"], "unrecognized arguments: test"),
    "unknown option": (["tree", "prod", "--follow"], "unrecognized arguments: --follow"),
    "a cut option": (["tree", "prod", "--wat"], "unrecognized arguments: --wat"),
    "unknown format": (["tree", "prod", "-o", "wide"], "invalid choice: 'wide'"),
    "no bound": (["parallelism", "prod"], "required: N"),
    "unknown shell": (["completion", "csh"], "invalid choice: 'csh'"),
    "completion of nothing": (["completion"], "required: SHELL"),
}


REFUSED = {
    "unknown command": ["tre", "prod"],
    "another kind": ["tree", "pod/prod"],
    "not a Kubernetes name": ["tree", "Prod!"],
    "not the name of a namespace": ["tree", "prod", "-n", "team/a"],
    "a namespace that is not text": ["-n", "\udcff", "tree", "prod"],
    "a namespace that is too long": ["list", "-n", "a" * 64],
    "a run that is not a number": ["retry", "prod", "last"],
    "a run below 1": ["cancel", "prod", "0"],
    "a bound of 0": ["parallelism", "prod", "0"],
    "a bound too high": ["parallelism", "prod", "501"],
    "not a duration": ["run", "prod", "--wait", "--timeout", "soon"],
    "a duration of 0": ["run", "prod", "--wait", "--timeout", "0s"],
    "a timeout without --wait": ["run", "prod", "--timeout", "5m"],
}


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a wrong command line is answered with."""
    with pytest.raises(SystemExit) as ended:
        arguments.parse(words)

    printed = capsys.readouterr().err
    assert ended.value.code == ExitCode.USAGE
    assert printed.count("\n") == 1
    assert "--help`" in printed
    return printed


@pytest.mark.parametrize(
    ("words", "expected"), REFUSED_BY_ARGPARSE.values(), ids=REFUSED_BY_ARGPARSE.keys()
)
def test_argparse_refuses_in_one_line(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in refusal(words, capsys)


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(case: str, golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    golden("plugin_usage").check(case, refusal(REFUSED[case], capsys))


def test_no_command_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse([])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"  {command.name} " in shown for command in arguments.COMMANDS)


@pytest.mark.parametrize("command", arguments.COMMANDS, ids=lambda command: command.name)
def test_each_command_has_examples_that_it_understands(
    command: arguments.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse([command.name, "--help"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    examples = [
        line.rpartition("kubectl stackchain ")[2].split()
        for line in shown.partition("examples:")[2].splitlines()
        if "kubectl stackchain " in line and not line.strip().startswith("#")
    ]
    assert examples
    assert all(arguments.parse(words).command == command.name for words in examples)


def test_every_command_of_the_command_line_can_be_run() -> None:
    """Those that need no cluster, and `ui`, which needs no namespace's client, the program runs."""
    own = {"completion", "ui", "version"}

    assert {command.name for command in arguments.COMMANDS} == {
        *commands.COMMANDS,
        *request_commands.COMMANDS,
        *own,
    }


@pytest.mark.parametrize("command", arguments.COMMANDS, ids=lambda command: command.name)
def test_a_command_without_a_choice_of_output_is_for_people(command: arguments.Command) -> None:
    bare = dataclasses.replace(command, options=())

    assert arguments.command_parser(bare).get_default("output") == "text"


def test_the_phases_are_those_of_the_resource() -> None:
    assert tuple(map(str, v1alpha1.Phase)) == arguments.PHASES


@pytest.mark.parametrize(
    ("words", "selection"),
    [
        pytest.param("tree prod", (False, None, None, None, False), id="all"),
        pytest.param("tree prod --failed", (True, None, None, None, False), id="failed"),
        pytest.param(
            "tree --phase running,TIMEDOUT prod",
            (False, frozenset({"Running", "TimedOut"}), None, None, False),
            id="phases in any case",
        ),
        pytest.param("tree prod --stack vpc", (False, None, "vpc", None, False), id="a stack"),
        pytest.param("tree prod --depth 2 --all", (False, None, None, 2, True), id="a depth"),
    ],
)
def test_a_tree_may_be_of_some_stacks(words: str, selection: tuple[object, ...]) -> None:
    wanted = arguments.parse(words.split())

    found = (wanted.failed, wanted.phase, wanted.stack, wanted.depth, wanted.all)
    assert found == selection


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("tree prod --phase Runing", "did you mean 'Running'"),
        ("tree prod --phase ,", "name at least one phase"),
        ("tree prod --depth 0", "must be a whole number, 1 to 500"),
        ("tree prod -w -o dot", "-w cannot be used with -o dot"),
        ("tree prod --depth 2 -o mermaid", "--depth cannot be used with -o mermaid"),
        ("tree prod --depth 2 --failed", "--depth cannot be used with --failed"),
        ("tree prod --depth 2 --phase Running", "--depth cannot be used with --failed"),
        ("explain prod -o dot", "invalid choice: 'dot'"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(
    words: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse(words.split())

    assert ended.value.code == 2
    assert hint in capsys.readouterr().err


def test_stacks_are_named_between_commas_or_one_by_one() -> None:
    retry = arguments.parse(["retry", "prod", "--stack", "a, b,a", "--dry-run"])
    bypass = arguments.parse(["bypass", "prod", "a", "b"])

    assert (retry.stack, retry.number, retry.dry_run) == (("a", "b"), None, True)
    assert (bypass.stacks, bypass.dry_run) == (["a", "b"], False)


@pytest.mark.parametrize(
    "words",
    [
        "run prod",
        "retry prod",
        "bypass prod vpc",
        "approve prod live",
        "cancel prod",
        "suspend prod",
        "resume prod",
        "parallelism prod 3",
    ],
)
def test_whatever_writes_has_a_dry_run(words: str) -> None:
    assert arguments.parse([*words.split(), "--dry-run"]).dry_run
    assert not arguments.parse(words.split()).dry_run


@pytest.mark.parametrize(
    "words",
    [
        ["retry", "prod", "--stack", "a,,b"],
        ["retry", "prod", "--stack", "a:b"],
        ["retry", "prod", "--dry-run", "--wait"],
        ["bypass", "prod"],
        ["bypass", "prod", "a b"],
    ],
)
def test_stacks_that_cannot_be_are_wrong_usage(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse(words)

    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        pytest.param("stagin", ["staging", "prod"], "; did you mean 'staging'", id="misspelled"),
        pytest.param(
            "monitoring",
            ["stage-eu-west-1-monitoring"],
            "; did you mean 'stage-eu-west-1-monitoring'",
            id="a part of one",
        ),
        pytest.param(
            "Monitoring",
            ["b-monitoring", "a-monitoring", "c"],
            "; did you mean one of 'a-monitoring', 'b-monitoring'",
            id="a part of two",
        ),
        pytest.param(
            "dns",
            [f"dns-{place}" for place in range(5)],
            "; did you mean one of 'dns-0', 'dns-1', 'dns-2' and 2 more",
            id="a part of many",
        ),
        pytest.param("vpc-3", ["vpc-1"], "", id="another number"),
        pytest.param("a", ["a-vpc", "vpc-a"], "", id="a letter is a part of too much"),
        pytest.param("", ["vpc"], "", id="nothing"),
        pytest.param("nope", ["prod"], "", id="unlike all"),
    ],
)
def test_a_word_that_names_nothing_is_answered_with_what_it_may_mean(
    word: str, known: list[str], hint: str
) -> None:
    assert arguments.similar(word, known) == hint
