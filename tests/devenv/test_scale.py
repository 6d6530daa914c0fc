"""The sizing model: what a load comes to, and how it is shown."""

import pytest

from devenv import scale

COUNTS = scale.Counts(
    actions_a_chain=10,
    actions_a_stack=5,
    actions_a_run_hour=100,
    actions_a_waiting_hour=20,
    actions_a_busy_hour=60,
    requests_a_stack=2,
    history_kilobytes_a_stack=10,
)


def test_actions_are_those_of_chains_stacks_runs_and_waits() -> None:
    load = scale.Load(chain_runs=2, stacks=3, run_hours=0.5, waiting_hours=1.5, busy_hours=4)

    size = scale.size_of(load, COUNTS)

    assert size.actions == 2 * (10 + 3 * 5 + 3 * 0.5 * 100 + 1.5 * 20) + 4 * 60
    assert size.actions_a_month == 30 * size.actions
    assert (size.spacelift_runs, size.history_megabytes) == (6, 0.06)


def test_runs_are_followed_while_they_run_or_wait() -> None:
    load = scale.Load(chain_runs=80, stacks=10, run_hours=0.1, waiting_hours=1, poll_seconds=10)

    size = scale.size_of(load, COUNTS)

    assert size.followed_runs == 20
    # Two workers with ten runs each read them in a request each.
    assert size.spacelift_requests_a_second == pytest.approx(800 * 2 / (8 * 3600) + 2 / 10)


@pytest.mark.parametrize(
    ("followed", "workers"), [(0, 2), (999, 2), (2000, 2), (2001, 3), (3750, 4), (9500, 10)]
)
def test_workers_keep_what_is_live_and_one_may_be_lost(followed: float, workers: int) -> None:
    load = scale.Load(chain_runs=followed, stacks=1, run_hours=8)

    assert scale.size_of(load, COUNTS).workers == workers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00347, "0.0035"),
        (0.347, "0.35"),
        (9.96, "10"),
        (45_312, "45,000"),
        (999_999, "1.0 million"),
        (4_531_000, "4.5 million"),
        (135_900_000, "140 million"),
    ],
)
def test_two_digits_count(value: float, text: str) -> None:
    assert scale.rounded(value) == text


def test_the_command_prints_each_figure(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--chains", "1000", "--stacks", "12", "--waiting-minutes", "60"]

    assert scale.main(arguments) == 0

    lines = capsys.readouterr().out.splitlines()
    load = scale.Load(chain_runs=1000, stacks=12, run_hours=1 / 6, waiting_hours=1)
    assert [line.split("  ")[0] for line in lines] == [
        name for name, _ in scale.rows_of(scale.size_of(load))
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("none", "'none' is not a number"),
        ("0", "'0' must be more than 0"),
        ("-1", "'-1' must be a number of at least 0"),
        ("inf", "'inf' must be a number of at least 0"),
    ],
)
def test_what_is_no_number_is_refused(
    given: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        scale.main(["--chains", given, "--stacks", "12"])

    assert problem in capsys.readouterr().err
