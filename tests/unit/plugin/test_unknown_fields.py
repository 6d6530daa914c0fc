"""Fields that the definition does not have: which ones, and what may be meant."""

import pytest

from controller.kube import errors
from controller.plugin import cluster, unknown_fields
from controller.plugin.exit_codes import ExitCode
from tests.support.golden import Golden

START = (
    'StackChain in version "v1alpha1" cannot be handled as a StackChain: strict decoding error: '
)
FIELDS = {
    "a misspelled field": ["spec.paralelism"],
    "fields of several objects": ["spec.graph.maxDept", "spec.paralelism", "spec.stages[0].windw"],
    "a field of another object": ["spec.maxDepth"],
    "a name that many objects have": ["spec.graph.name"],
    "nothing like it": ["spec.zzz"],
    "beside the spec": ["spce"],
    "a field that an older definition lacks": ["spec.stages[0].window.cron", "spec.suspend"],
    "many": [f"spec.x{number}" for number in range(12)],
}


def answer(fields: list[str]) -> str:
    return START + ", ".join(f'unknown field "{field}"' for field in fields)


@pytest.mark.parametrize("case", FIELDS)
def test_unknown_fields_are_named_with_what_may_be_meant(case: str, golden: Golden) -> None:
    golden("plugin_plan").check(f"fields: {case}", unknown_fields.explain(answer(FIELDS[case])))


def test_another_answer_names_no_field() -> None:
    assert unknown_fields.explain("spec.parallelism: Invalid value: 0") == ""


def test_the_answer_of_the_api_server_becomes_one_line() -> None:
    error = errors.Invalid("400")
    error.answer = answer(["spec.paralelism"])

    explained = cluster.explain_error(error, "create", namespace="team", name="prod")

    assert explained.code is ExitCode.USAGE
    assert str(explained) == unknown_fields.explain(error.answer)
