"""Lines of chains that wait for a stack: who came first goes first."""

import random

from hypothesis import given
from hypothesis import strategies as st

from controller.chain.run import stack_lines
from controller.chain.run.stack_lines import WaitingChain


def chain(name: str, since: float) -> WaitingChain:
    return WaitingChain(workflow_id=name, since=since)


@given(st.lists(st.integers(0, 9), unique=True), st.randoms(use_true_random=False))
def test_the_order_is_that_of_the_coming_however_they_join(
    times: list[int], chance: random.Random
) -> None:
    joining = [chain(f"c{time}", time) for time in times]
    chance.shuffle(joining)
    line: list[WaitingChain] = []
    for item in (*joining, *joining):
        line = stack_lines.joined(line, item)

    assert [item.since for item in line] == sorted(times)
    assert [stack_lines.place_of(line, item) for item in line] == list(range(len(times)))


def test_who_is_not_in_the_line_comes_after_it() -> None:
    line = [chain("a", 1), chain("b", 2)]

    assert stack_lines.place_of(line, chain("c", 0)) == 2
    assert stack_lines.behind(line, chain("c", 0)) == []


def test_behind_a_chain_are_those_that_came_later() -> None:
    line = [chain("a", 1), chain("b", 2), chain("c", 3)]

    assert stack_lines.behind(line, line[1]) == [line[2]]


def test_a_line_that_others_see_has_a_length() -> None:
    line: list[WaitingChain] = []
    for number in range(stack_lines.MOST + 10):
        line = stack_lines.joined(line, chain(f"c{number}", number))

    assert len(line) == stack_lines.MOST
    assert line[-1].since == stack_lines.MOST - 1
