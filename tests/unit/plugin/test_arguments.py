"""The command line: what is understood, and the one line for what is not."""

import pytest

from controller.plugin import arguments
from controller.plugin.exit_codes import ExitCode

UNDERSTOOD = {
    "a name": (["tree", "prod"], {"command": "tree", "name": "prod", "watch": False}),
    "the kind before the name": (["tree", "schain/prod"], {"name": "prod"}),
    "the whole kind": (["tree", "stackchains.stackchain.dev/prod"], {"name": "prod"}),
    "options before the command": (["-n", "team", "tree", "prod"], {"namespace": "team"}),
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
    "a plan may take its time": (["plan", "-", "--timeout", "5m"], {"timeout": 300}),
    "a shell": (["completion", "fish"], {"shell": "fish"}),
}


@pytest.mark.parametrize(("words", "expected"), UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_understood(words: list[str], expected: dict[str, object]) -> None:
    wanted = vars(arguments.parse(words))

    assert {key: wanted[key] for key in expected} == expected


REFUSED = {
    "unknown command": (["tre", "prod"], "there is no command 'tre'; did you mean 'tree'"),
    "no name": (["tree"], "required: NAME"),
    "two names": (["tree", "prod", "test"], "unrecognized arguments: test"),
    "another kind": (["tree", "pod/prod"], "'pod/prod' is not the name of a StackChain"),
    "no Kubernetes name": (["tree", "Prod!"], "'Prod!' is not the name of a StackChain"),
    "unknown option": (["tree", "prod", "--follow"], "unrecognized arguments: --follow"),
    "a cut option": (["tree", "prod", "--wat"], "unrecognized arguments: --wat"),
    "unknown format": (["tree", "prod", "-o", "wide"], "invalid choice: 'wide'"),
    "a run that is no number": (["retry", "prod", "last"], "'last' must be a whole number"),
    "a run below 1": (["cancel", "prod", "0"], "'0' must be a whole number"),
    "no bound": (["parallelism", "prod"], "required: N"),
    "a bound of nothing": (["parallelism", "prod", "0"], "'0' must be a whole number, 1 to 500"),
    "a bound too high": (["parallelism", "prod", "501"], "'501' must be a whole number, 1 to 500"),
    "a time without end": (["run", "prod", "--wait", "--timeout", "soon"], "not a valid duration"),
    "no time": (["run", "prod", "--wait", "--timeout", "0s"], "not a valid duration"),
    "a time for nothing": (["run", "prod", "--timeout", "5m"], "--timeout is for --wait"),
    "unknown shell": (["completion", "csh"], "invalid choice: 'csh'"),
    "completion of nothing": (["completion"], "required: SHELL"),
}


@pytest.mark.parametrize(("words", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_in_one_line(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse(words)

    told = capsys.readouterr().err
    assert ended.value.code == ExitCode.USAGE
    assert expected in told
    assert "--help`" in told
    assert told.count("\n") == 1


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
