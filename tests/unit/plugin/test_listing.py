"""Lists of chains, the cluster that is meant, and outputs that cannot be written."""

import argparse
import io
from pathlib import Path

import pytest
import yaml

from controller.config import settings
from controller.display import terminal
from controller.kube import errors
from controller.plugin import cluster, output
from controller.plugin.exit_codes import CommandError, ExitCode
from tests.support import big_chains
from tests.support.builders import make_shown_chain, make_shown_status


def kubeconfig(folder: Path) -> Path:
    path = folder / "config"
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("prod", "staging")
        ],
        "current-context": "prod",
    }
    path.write_text(yaml.safe_dump(body))
    return path


@pytest.mark.parametrize(
    ("context", "hint"), [("stagin", "did you mean 'staging'; it has"), ("nope", "it has prod")]
)
def test_an_unknown_context_is_what_is_wrong_not_the_file(
    tmp_path: Path, context: str, hint: str
) -> None:
    wanted = argparse.Namespace(kubeconfig=str(kubeconfig(tmp_path)), context=context)

    with pytest.raises(CommandError, match=f"there is no context '{context}'") as refused:
        cluster.choose(wanted)

    assert hint in str(refused.value)
    assert "Name another file" not in str(refused.value)


def test_a_context_that_is_there_is_taken(tmp_path: Path) -> None:
    wanted = argparse.Namespace(kubeconfig=str(kubeconfig(tmp_path)), context="staging")

    assert cluster.choose(wanted)[0].context == "staging"


def test_a_list_counts_what_needs_someone() -> None:
    chains = [
        make_shown_chain(big_chains.make_status(100), name="loud"),
        make_shown_chain(big_chains.make_status(12, is_quiet=True), name="quiet"),
        make_shown_chain(name="new"),
        make_shown_chain(big_chains.with_stages(big_chains.make_status(12)), name="stages"),
    ]

    found = output.list_document(chains)["chains"]

    assert [(one["chain"]["name"], one["needs"]) for one in found] == [
        ("loud", 4),
        ("quiet", 0),
        ("new", 0),
        ("stages", 3),
    ]
    assert found[2]["ready"] is None


def test_a_list_has_the_estimate_of_a_run() -> None:
    estimated = "2026-03-01T10:44:00Z"
    chain = make_shown_chain(make_shown_status(estimated_completion_time=estimated))

    (found,) = output.list_document([chain])["chains"]

    assert found["run"]["estimatedCompletionTime"] == estimated


def test_what_a_policy_refuses_needs_no_other_role() -> None:
    error = errors.Denied("403")
    error.answer = (
        'stackchains.stackchain.dev "prod" is forbidden: ValidatingAdmissionPolicy '
        "'stackchain-approvals' with binding 'stackchain-approvals' denied request: only members "
        "of reviewers may set the annotation stackchain.dev/approve; ask one of them"
    )

    explained = cluster.explain_error(error, "patch", namespace="team", name="prod")

    assert explained.code is ExitCode.REFUSED
    assert str(explained) == f"the API server refuses this: {error.answer}"


@pytest.mark.parametrize("role", ["operator", "worker", "webhook"])
def test_the_help_of_a_role_has_its_settings(role: str, capsys: pytest.CaptureFixture[str]) -> None:
    from controller import cli

    with pytest.raises(SystemExit) as ended:
        cli.main([role, "--help"])

    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(row.variable in text for row in settings.describe_settings(role))
    assert "TEMPORAL_ADDRESS" in text


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["wrker"], "there is no command 'wrker' (did you mean 'worker'?); see"),
        (["--json", "chekc"], "(did you mean 'check'?)"),
        (["zzz", "--help"], "there is no command 'zzz'; see"),
    ],
)
def test_a_misspelled_command_of_the_operator_is_answered_with_a_guess(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from controller import cli

    with pytest.raises(SystemExit) as ended:
        cli.main(words)

    text = capsys.readouterr().err
    assert ended.value.code == 2
    assert hint in text
    assert text.count("\n") == 1


@pytest.mark.parametrize("role", ["operator", "worker", "webhook", "ui", "check"])
def test_the_commands_of_the_operator_are_no_misspellings(
    role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from controller import cli

    with pytest.raises(SystemExit) as ended:
        cli.main([role, "--help"])

    assert ended.value.code == 0
    capsys.readouterr()
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert f"    {role} " in capsys.readouterr().out


def test_the_roles_read_all_settings_together() -> None:
    by_role = {
        row.variable
        for role in ("operator", "worker", "webhook", "ui")
        for row in settings.describe_settings(role)
    }

    assert by_role == {row.variable for row in settings.describe_settings()}


def test_a_terminal_without_a_file_below_it_is_written() -> None:
    out = io.StringIO()

    terminal.Terminal(out=out).send("x")

    assert out.getvalue() == "x"
