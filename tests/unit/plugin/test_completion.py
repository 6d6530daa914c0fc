"""Completion that needs no cluster: what may follow the words so far."""

import argparse
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from controller.plugin import arguments, completion

COMPLETED = {
    "a command": (["re"], ["resume", "retry"], completion.NO_FILES),
    "an option": (["tree", "prod", "--wa"], ["--watch"], completion.NO_FILES),
    "options that a command does not have": (["tree", "prod", "--wai"], [], completion.NO_FILES),
    "a shell": (["completion", "z"], ["zsh"], completion.NO_FILES),
    "a format": (["history", "prod", "-o", ""], ["json", "yaml"], completion.NO_FILES),
    "a format of the tree": (["tree", "prod", "-o", "m"], ["mermaid"], completion.NO_FILES),
    "a phase": (["tree", "prod", "--phase", "S"], ["Skipped", "Succeeded"], completion.NO_FILES),
    "a kubeconfig": (["tree", "--kubeconfig", ""], [], completion.FILES),
    "a chain's file": (["plan", ""], [], completion.FILES),
    "the command behind an option's value": (["-n", "team", "hist"], ["history"], 4),
    "nothing behind the last argument": (["tree", "prod", ""], [], completion.NO_FILES),
    "nothing behind the only argument of ui": (["ui", "prod", "--port", "1", ""], [], 4),
    "nothing for an unknown command": (["tre", ""], [], completion.NO_FILES),
}


@pytest.mark.parametrize(
    ("words", "candidates", "directive"), COMPLETED.values(), ids=COMPLETED.keys()
)
def test_what_may_follow(words: list[str], candidates: list[str], directive: int) -> None:
    found, files = completion.complete(words)

    assert sorted(one.partition("\t")[0] for one in found) == candidates
    assert files == directive


@pytest.mark.parametrize("options", [("-n", "\udcff"), ("-n", "Team"), ("-n", "--context", "x")])
def test_options_that_cannot_be_read_complete_nothing_and_say_nothing(
    options: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert completion.complete(["tree", *options, ""]) == ([], completion.NO_FILES)
    assert capfd.readouterr() == ("", "")


def test_no_word_yet_completes_to_all_commands_with_what_they_do() -> None:
    found, _ = completion.complete([])

    assert found == [f"{one.name}\t{one.help}" for one in arguments.COMMANDS]


@pytest.mark.parametrize("command", arguments.COMMANDS, ids=lambda command: command.name)
def test_the_value_of_an_option_is_never_taken_for_an_argument(command: arguments.Command) -> None:
    parser = arguments.command_parser(command)
    options = {
        name
        for action in parser._actions
        if isinstance(action, argparse._StoreAction)
        for name in action.option_strings
    }

    assert options <= completion._TAKES_VALUE


@pytest.mark.parametrize("shell", arguments.SHELLS)
def test_each_shell_has_a_script_that_asks_the_same_program(shell: str) -> None:
    script = completion.script(shell)

    assert "kubectl_complete-stackchain" in script
    assert script.endswith("\n")


HANGS = """#!{python}
import subprocess, sys
child = "import time; pipe = open({pipe!r}, 'w'); print(flush=True, file=pipe); time.sleep(99)"
subprocess.run([sys.executable, "-c", child])
"""


@pytest.mark.parametrize("ends_by", ["its time", "Ctrl-C"])
def test_an_exec_plugin_that_hangs_ends_with_the_completion(ends_by: str, tmp_path: Path) -> None:
    """With what it has started, which holds a pipe open until then."""
    pipe, program = tmp_path / "pipe", tmp_path / "log-in"
    os.mkfifo(pipe)
    program.write_text(HANGS.format(python=sys.executable, pipe=str(pipe)))
    program.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./log-in"}}
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "config").write_text(json.dumps(document))
    patience = "60" if ends_by == "Ctrl-C" else "1"
    completing = subprocess.Popen(
        [sys.executable, "-c", MAIN, "tree", ""],
        env={"KUBECONFIG": str(tmp_path / "config"), "STACKCHAIN_COMPLETION_SECONDS": patience},
        stdout=subprocess.PIPE,
    )
    # Without a writer it is read to its end, which comes too where nothing was started in time.
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, ends_by == "Ctrl-C")
    if ends_by == "Ctrl-C":
        select.select([reading], [], [], 60)
        completing.send_signal(signal.SIGINT)

    output, _ = completing.communicate()
    os.set_blocking(reading, True)
    with os.fdopen(reading) as opened:
        opened.read()

    assert (completing.returncode, output) == (0, b":4\n")


MAIN = "from controller.plugin import completion; completion.main()"
