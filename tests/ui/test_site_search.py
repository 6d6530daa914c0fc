"""What people ask leads to the answer: the site's own search, in a real browser."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devenv import settings
from tests.support import site
from tests.ui import tour

pytestmark = [
    pytest.mark.skipif(
        tour.find_chromium() is None,
        reason="needs Chromium: install Debian's chromium, or set CHROMIUM=PATH",
    ),
    pytest.mark.skipif(not site.PYTHON.exists(), reason=site.MISSING),
]
_SECONDS = 500
_FIRST = 3

# As people type it, and where it is answered: one of these is among the first three.
QUESTIONS = {
    "retry only what failed": ["tasks/retry.html"],
    "limit how many run": [
        "faq.html#how-do-i-limit-how-many-run-at-once",
        "tasks/suspend-and-resume.html#limit-how-many-stacks-run-at-once",
    ],
    "rights of the key": ["faq.html#what-rights-does-the-key-need-does-it-need-admin"],
    "two teams, two keys": ["faq.html#how-do-i-give-two-teams-separate-keys"],
    "Temporal is down": ["troubleshooting.html#temporal-is-down"],
    "what StackBusy means": ["troubleshooting.html#what-stackbusy-means"],
    "stuck in deletion": ["troubleshooting.html#a-chain-is-stuck-in-deletion"],
    "order without native dependencies": [
        "faq.html#can-i-order-stacks-without-native-dependencies"
    ],
    "self-hosted": ["configuration.html#a-self-hosted-spacelift"],
    "difference to native dependencies": ["compare.html#native-stack-dependencies"],
    "run it nightly": ["tasks/schedule.html"],
    "Slack when a person must confirm": [
        "faq.html#how-do-i-get-a-message-in-slack-when-a-person-must-confirm"
    ],
    "upgrade without losing runs": ["upgrade.html"],
    "skip one stack and continue": [
        "faq.html#how-do-i-skip-one-stack-and-continue",
        "tasks/bypass.html",
    ],
    "my chain does not move": ["troubleshooting.html#my-chain-does-not-move"],
    "from CI": ["ci.html"],
    "do outputs pass": ["faq.html#do-outputs-pass-between-stacks"],
    "migrate from trigger policies": ["migrate.html#from-trigger-policies"],
    "Argo or Terragrunt instead": [
        "faq.html#should-i-use-argo-workflows-or-terragrunt-instead",
        "compare.html",
    ],
    "size for 100 chains": ["sizing.html#size-for-100-chains-a-day"],
}


@pytest.fixture(scope="module")
def answers(page_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the search of the site that `make docs` builds finds, read from a folder."""
    folder = tmp_path_factory.mktemp("built") / "site"
    done = site.run_build("--output", folder)
    assert (done.returncode, done.stderr) == (0, "")
    asked = subprocess.run(
        ["node", "browser/site.mjs", folder],
        cwd=page_sources,
        env={**settings.variables_of_shell(), "CHROMIUM": tour.find_chromium() or ""},
        input="".join(f"{question}\n" for question in QUESTIONS),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    return {answer["question"]: answer for answer in map(json.loads, asked.stdout.splitlines())}


@pytest.mark.timeout(_SECONDS + 100)
@pytest.mark.parametrize(("question", "pages"), QUESTIONS.items(), ids=QUESTIONS)
def test_a_question_leads_to_its_answer(
    answers: dict[str, Any], question: str, pages: list[str]
) -> None:
    """If it fails: give the answer a heading with the words that people use."""
    found = answers[question]["found"]

    assert set(found[:_FIRST]) & set(pages), found


@pytest.mark.timeout(_SECONDS + 100)
def test_the_browser_asks_no_other_site_and_has_nothing_to_complain_of(
    answers: dict[str, Any],
) -> None:
    assert {question: answer["problems"] for question, answer in answers.items()} == {
        question: [] for question in answers
    }
    assert len(answers) == len(QUESTIONS)
