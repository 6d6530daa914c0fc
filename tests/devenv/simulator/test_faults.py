"""Which request a fault hits."""

import random

import pytest

from devenv.simulator import faults
from devenv.simulator.gql import schema
from devenv.simulator.gql.documents import Documents
from devenv.simulator.model.behavior import RateLimit

TRIGGER = "mutation($s: ID!) { runTrigger(stack: $s) { id } }"
TWO = 'query { x: stack(id: "a") { id } y: stack(id: "b") { id } viewer { id } }'


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def make_faults(clock: Clock | None = None) -> faults.Faults:
    rng = random.Random(1)  # noqa: S311 - nothing to guess
    return faults.Faults(rng=rng, now=clock or Clock())


def judge(rules: faults.Faults, text: str = TRIGGER, stack: str = "a") -> faults.FaultDecision:
    operation = Documents().prepare(schema.load(), text).operation(None)
    return rules.decide(operation, {"s": stack}, key_id="K")


# rule -> whether it hits `runTrigger(stack: "a")` of key K
MATCHES = {
    "any": ({}, True),
    "field": ({"field": "runTrigger"}, True),
    "other-field": ({"field": "stack"}, False),
    "stack": ({"stack": "a"}, True),
    "other-stack": ({"stack": "b"}, False),
    "mutation": ({"kind": "mutation"}, True),
    "query": ({"kind": "query"}, False),
    "key": ({"key": "K"}, True),
    "other-key": ({"key": "L"}, False),
}


@pytest.mark.parametrize(("rule", "is_hit"), MATCHES.values(), ids=MATCHES)
def test_a_fault_hits_what_it_names(rule: dict[str, str], is_hit: bool) -> None:
    rules = make_faults()
    rules.add(faults.FaultSpec.model_validate({**rule, "action": "reset"}))

    assert (judge(rules).fault is not None) is is_hit


@pytest.mark.parametrize(
    ("nth", "count", "hits"),
    [(1, 1, [1]), (2, 1, [2]), (2, 2, [2, 3]), (3, 0, [3, 4, 5])],
)
def test_a_fault_hits_its_turns(nth: int, count: int, hits: list[int]) -> None:
    rules = make_faults()
    rule = rules.add(faults.FaultSpec(action="reset", nth=nth, count=count))

    struck = [turn for turn in range(1, 6) if judge(rules).fault is not None]

    assert struck == hits
    assert (rule.matched, rule.hits) == (5, len(hits))


def test_a_fault_names_the_aliases_it_is_about() -> None:
    rules = make_faults()
    rules.add(faults.FaultSpec(action="partial", field="stack", stack="b"))

    assert judge(rules, TWO).aliases == ("y",)


def test_delays_add_up_and_leave_room_for_another_fault() -> None:
    rules = make_faults()
    rules.add(faults.FaultSpec(action="latency", seconds=1))
    rules.add(faults.FaultSpec(action="latency", seconds=2))
    rules.add(faults.FaultSpec(action="status", status=502))

    verdict = judge(rules)

    assert verdict.delay == 3
    assert verdict.fault is not None
    assert verdict.fault.status == 502


def test_a_bucket_refills_with_time() -> None:
    clock = Clock()
    rules = make_faults(clock)
    limit = RateLimit(per_second=2, burst=2)
    first = [rules.seconds_to_wait(limit, "K") for _ in range(3)]
    clock.now = 0.5

    assert first == [0, 0, 0.5]
    assert rules.seconds_to_wait(limit, "K") == 0
    assert rules.seconds_to_wait(limit, "L") == 0
