"""Completion that needs no cluster: what may follow the words so far."""

import argparse

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
