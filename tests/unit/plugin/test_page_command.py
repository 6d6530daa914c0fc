"""Which options the commands have that the page offers for a terminal."""

from pathlib import Path

import pytest

from controller.plugin import page_command


@pytest.mark.parametrize(
    ("context", "kubeconfig", "expected"),
    [
        (None, None, ()),
        ("prod", None, ("--context", "prod")),
        ("prod", "/a/b", ("--kubeconfig", "/a/b", "--context", "prod")),
        (None, "b", ("--kubeconfig", str(Path.cwd() / "b"))),
    ],
)
def test_a_command_of_the_page_is_about_the_cluster_of_the_page(
    context: str | None, kubeconfig: str | None, expected: tuple[str, ...]
) -> None:
    """A terminal in another folder would otherwise run the chain of another cluster."""
    assert page_command.command_options(context, kubeconfig) == expected
