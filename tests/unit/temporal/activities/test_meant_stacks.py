"""Which stack a misspelled root means, in accounts of many stacks with alike names."""

import itertools

import pytest

from controller.chain.graph import problems
from controller.spacelift import errors, models
from controller.temporal.activities import meant_stacks
from tests.unit.temporal.activities import fakes

KINDS = ("network", "database", "kubernetes", "monitoring", "dns", "iam", "storage", "queue")


def alike_ids() -> list[str]:
    """Return 608 ids that differ in an environment, a region, a kind or a team."""
    regions = [f"{area}-{number}" for area in ("eu-west", "us-east") for number in (1, 2)]
    places = itertools.product(("dev", "prod", "stage"), ["eu-west-3", *regions], KINDS)
    bases = ["-".join(place) for place in places]
    teams = [f"{base}-team-00{number}" for base in bases for number in (1, 2, 3, 4)]
    return [*bases, *teams, "stage", "dev", "prod", "shared", "vpc-dev", "vpc-prod", "dns", "log1"]


def account(ids: list[str]) -> fakes.FakeSpacelift:
    spacelift = fakes.FakeSpacelift()
    for stack_id in ids:
        spacelift.add_stack(stack_id)
    return spacelift


async def guess(spacelift: fakes.FakeSpacelift, root: str, forbidden: str = "") -> str:
    """Return the stack that the message names as meant."""

    def may_tell(stack: models.StackRecord) -> bool:
        return stack.id != forbidden

    similar = await meant_stacks.find(spacelift, root, may_tell=may_tell)  # type: ignore[arg-type]
    message = problems.unknown_roots([root], similar=similar).message
    return message.partition("did you mean '")[2].partition("'")[0]


@pytest.mark.parametrize(
    ("root", "meant"),
    [
        pytest.param("stage-eu-west-3-netwrk", "stage-eu-west-3-network", id="the last word"),
        pytest.param("stgae-eu-west-3-network", "stage-eu-west-3-network", id="the first word"),
        pytest.param("stage-eu-wset-3-network", "stage-eu-west-3-network", id="a middle word"),
        pytest.param("stage-ue-west-3-network", "", id="a word with no letter right"),
        pytest.param(
            "prod-eu-west-2-monitorng-team-002",
            "prod-eu-west-2-monitoring-team-002",
            id="a word between others",
        ),
        pytest.param(
            "prod-eu-west-2-monitoring-taem-002",
            "prod-eu-west-2-monitoring-team-002",
            id="a word that is not the longest",
        ),
        pytest.param("stagee", "stage", id="a letter too many"),
        pytest.param("stge", "", id="a short word that begins like many others"),
        pytest.param("shraed", "shared", id="letters swapped"),
        pytest.param("vpc-prd", "vpc-prod", id="short words"),
        pytest.param("pvc-prod", "", id="a short word before one that many have"),
        pytest.param("stage-eu-west-7-network", "", id="a region that is not there"),
        pytest.param("stage-eu-west-7-netwrk", "", id="such a region and a letter"),
        pytest.param("stage-eu-west-network", "", id="no region"),
        pytest.param("stage-eu-west-3-network-team-009", "", id="a team that is not there"),
        pytest.param("prod-ap-south-1-network", "", id="a region in other words"),
        pytest.param("log2", "", id="digits without a separator"),
        pytest.param("x-1", "", id="nothing to search for"),
        pytest.param("12345", "", id="digits only"),
        pytest.param("warehouse", "", id="unlike all"),
    ],
)
async def test_what_is_guessed_among_600_stacks_with_alike_ids(root: str, meant: str) -> None:
    spacelift = account(alike_ids())

    assert len(spacelift.stacks) == 608
    assert await guess(spacelift, root) == meant
    assert spacelift.count("list_stacks_like") <= 2


async def test_every_stack_is_found_with_a_letter_missing_from_its_kind() -> None:
    spacelift, missed = account(alike_ids()), []
    for stack_id in alike_ids()[:600:7]:
        kind = next(kind for kind in KINDS if f"-{kind}" in stack_id)
        root = stack_id.replace(kind, kind[:-2] + kind[-1])
        if await guess(spacelift, root) != stack_id:
            missed.append(root)

    assert missed == []


async def test_no_stack_is_guessed_that_may_not_be_told_of() -> None:
    spacelift = account(["vpc-prod", "vpc-prods"])

    assert await guess(spacelift, "vpc-prd") == "vpc-prod"
    assert await guess(spacelift, "vpc-prd", forbidden="vpc-prod") == "vpc-prods"


async def test_what_was_found_counts_where_the_second_search_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The page is full, so there is a second search.
    spacelift = account([f"vpc-{'x' * length}" for length in range(1, 60)])
    first = spacelift.list_stacks_like

    async def only_once(text: str) -> list[models.StackRecord]:
        if spacelift.count("list_stacks_like"):
            raise errors.Unreachable("away")
        return await first(text)

    monkeypatch.setattr(spacelift, "list_stacks_like", only_once)

    assert await guess(spacelift, "vpc-xxxxy") == "vpc-xxxx"


@pytest.mark.parametrize(
    ("root", "texts"),
    [
        ("aa-1-netwrk", ("aa-1", "aa-1-ne", "1-netwrk")),
        ("netwrk-1-aa", ("netwrk-1", "netwrk-1-aa", "1-aa")),
        ("netwrk-1", ("net", "netwr", "rk")),
        ("eu1-netwrk", ("eu1", "eu1-ne", "netwrk")),
        ("stagee", ("sta", "stage", "ee")),
        ("aa", ("aa", "", "")),
    ],
)
def test_what_is_searched_for(root: str, texts: tuple[str, str, str]) -> None:
    found = meant_stacks.texts_for(root)

    assert found is not None
    assert (found.first, found.if_many, found.otherwise) == texts
