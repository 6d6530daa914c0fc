"""The chart's own documents: the README is generated, lint is strict, every value set is shown."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from controller.api import transition_kinds
from controller.config import settings
from controller.notify import sinks
from tests.support import charts
from tests.support import helm as helms

CI_FILES = sorted(helms.CI_VALUES.glob("*.yaml"))

# Set by the chart itself, or of no use in a pod.
NO_VALUE = {
    "KUBECONFIG",
    "SPACELIFT_ALLOWED_NAMESPACES",
    "SPACELIFT_ALLOWED_OPERATIONS",
    "SPACELIFT_DEPENDENCY_LABEL_PREFIXES",
    "SPACELIFT_API_KEY_ENDPOINT",
    "SPACELIFT_API_KEY_ID",
    "SPACELIFT_API_KEY_NAME",
    "SPACELIFT_API_KEY_SECRET",
    "SPACELIFT_WEBHOOK_SECRET",
    "TEMPORAL_TLS_CLIENT_CERT_DATA",
    "TEMPORAL_TLS_CLIENT_KEY_DATA",
    "TEMPORAL_TLS_SERVER_CA_CERT_DATA",
    "TEMPORAL_URL",
}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The program that writes the table, which is not part of the package."""
    path = helms.ROOT / "hack/generate_chart_docs.py"
    spec = importlib.util.spec_from_file_location("generate_chart_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def default_values() -> charts.Body:
    values: charts.Body = yaml.safe_load((helms.CHART / "values.yaml").read_text())
    return values


def test_the_readme_has_every_value_as_it_is() -> None:
    """If it fails: make chart-docs."""
    spec = importlib.util.spec_from_file_location("x", helms.ROOT / "hack/generate_chart_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert module.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("# -- One.\na: 1\n", [("a", "1", "One.")]),
        ("a:\n  # -- Two.\n  b: {c: 2}\n", [("a.b", '{"c": 2}', "Two.")]),
        ("# -- List.\na:\n- b\n- {c: d}\n", [("a", '["b", {"c": "d"}]', "List.")]),
        (
            "# -- Deep.\na:\n  b:\n    c: 1\n# -- Z.\nz: ''\n",
            [("a", '{"b": {"c": 1}}', "Deep."), ("z", '""', "Z.")],
        ),
    ],
)
def test_a_comment_describes_the_value_below_it(
    generator: ModuleType, text: str, rows: list[tuple[str, str, str]]
) -> None:
    assert [tuple(value) for value in generator.describe(text)] == rows


def test_a_value_without_a_comment_is_an_error(generator: ModuleType) -> None:
    with pytest.raises(generator.Undocumented, match=r"a\.b has no comment"):
        list(generator.describe("a:\n  b: 1\n"))


@pytest.mark.parametrize("file", CI_FILES, ids=lambda file: file.stem)
def test_lint_is_content_with_each_value_set(helm: helms.Helm, file: Path) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in helm.lint(file)


def test_lint_is_content_without_any_value(helm: helms.Helm) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in helm.lint()


def test_the_schema_knows_every_value_and_no_other() -> None:
    schema = json.loads((helms.CHART / "values.schema.json").read_text())

    def check(values: charts.Body, node: charts.Body, path: str) -> None:
        known = set(node["properties"]) - {"global"}
        assert known == set(values), f"{path}: {known ^ set(values)}"
        assert node["additionalProperties"] is False, path
        for key, value in values.items():
            child = node["properties"][key]
            if isinstance(value, dict) and value and child.get("additionalProperties") is False:
                full = {**dict.fromkeys(child["properties"]), **value}
                check(full, child, f"{path}.{key}")

    check(default_values(), schema, "")


def test_the_schema_refuses_unknown_keys_wherever_it_knows_some() -> None:
    """What it knows none of is an object of Kubernetes, or a map with keys of the person's own."""
    schema = json.loads((helms.CHART / "values.schema.json").read_text())

    def open_ones(node: object, path: str) -> list[str]:
        if isinstance(node, list):
            return [p for item in node for p in open_ones(item, path)]
        if not isinstance(node, dict):
            return []
        known = isinstance(node.get("properties"), dict) and node.get("type") == "object"
        own = [path] if known and node.get("additionalProperties") is not False else []
        return own + [p for key, item in node.items() for p in open_ones(item, f"{path}/{key}")]

    assert open_ones(schema, "") == []


def test_the_schema_knows_the_transitions_and_types_of_sinks() -> None:
    schema = json.loads((helms.CHART / "values.schema.json").read_text())
    sink = schema["$defs"]["sink"]["properties"]

    assert set(sink["transitions"]["items"]["enum"]) == set(transition_kinds.TransitionKind)
    assert set(sink["type"]["enum"]) == set(sinks.SinkType)


def test_every_setting_of_the_program_has_a_value(helm: helms.Helm) -> None:
    """With all that changes the environment, each variable is in some pod."""
    values = charts.values(
        {
            **charts.WEBHOOK,
            "crds.enabled": False,
            "watchNamespaces": ["team-a"],
            "installation.id": "all",
            "temporal.uiUrl": "https://temporal.example.com",
            "temporal.apiKey.existingSecret": "cloud",
            "temporal.payloadKeys.existingSecret": "payloads",
            "temporal.tls.serverName": "front",
            "temporal.tls.ca.existingSecret": "ca",
            "temporal.tls.client.existingSecret": "client",
            "spacelift.ca.existingSecret": "ca",
            "spacelift.allowHTTP": True,
            **charts.UI,
            "ui.namespaces": ["team-a"],
            "ui.anonymous": True,
            "notifications.sinks": [
                {"name": "a", "type": "Slack", "transitions": ["Problem"], "url": "https://a.b"}
            ],
        }
    )
    objects = charts.Objects(helm.template(values=values))

    given = {name for role in (*charts.ROLES, "ui") for name in objects.environment(role)}
    known = {row.variable for row in settings.describe_settings()}
    assert {n for n in known if n not in given and f"{n}_FILE" not in given} == NO_VALUE & known


def test_defaults_are_those_of_the_program(helm: helms.Helm) -> None:
    objects = charts.Objects(helm.template(values=charts.values(charts.WEBHOOK)))
    given = {n: v for role in charts.ROLES for n, v in objects.environment(role).items()}

    defaults = {row.variable: row.default.strip("`") for row in settings.describe_settings()}
    numbers = {n: v for n, v in defaults.items() if re.fullmatch(r"[0-9.]+", v) and n in given}
    assert numbers
    assert {name: given[name] for name in numbers} == numbers


# What is shown after an installation


def test_notes_tell_the_next_commands(helm: helms.Helm) -> None:
    notes = helm.notes(helms.CI_VALUES / "production.yaml")

    assert "helm --namespace stackchain-system test release --logs" in notes
    assert "kubectl --namespace default get schain first --watch" in notes
    assert "create secret generic spacelift" in notes
    assert "port-forward" not in notes


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("trial", "port-forward service/release-stackchain-temporal 8233"),
        ("watch-namespaces", "kubectl get crd stackchains.stackchain.dev"),
        ("watch-namespaces", "kubectl --namespace team-a get schain first --watch"),
        ("several-accounts", "operation: Plan"),
        ("webhook-ingress", "https://stackchain.example.com/webhooks/spacelift/default"),
        ("webhook-gateway", "https://stackchain.example.com/webhooks/spacelift/default"),
        ("webhook-ingress", "stackchain webhook setup --url https://stackchain.example.com\n"),
    ],
)
def test_notes_are_about_what_is_configured(helm: helms.Helm, values: str, says: str) -> None:
    assert says in helm.notes(helms.CI_VALUES / f"{values}.yaml")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"operator.replicas": 0},
            "operator.replicas is 0: StackChains are neither run nor",
        ),
        ({"worker.replicas": 0}, "worker.replicas is 0: chains stop"),
        (
            {**charts.WEBHOOK, "webhook.replicas": 0},
            "webhook.replicas is 0: Spacelift's",
        ),
    ],
)
def test_notes_say_what_a_role_without_pods_means(
    helm: helms.Helm, values: dict[str, Any], says: str
) -> None:
    assert says in helm.notes(values=charts.values(values))
    assert "is 0:" not in helm.notes(values=charts.values({}))


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({}, "docker.io/temporalio/temporal:"),
        ({"image.registry": "r.example.com"}, "r.example.com/temporalio/temporal:"),
        (
            {"image.registry": "r.example.com", "temporal.devServer.image.registry": "docker.io"},
            "docker.io/temporalio/temporal:",
        ),
    ],
)
def test_the_image_of_the_trials_temporal_moves_with_the_registry(
    helm: helms.Helm, values: dict[str, Any], image: str
) -> None:
    trial = {"temporal.address": "", "temporal.devServer.enabled": True, **values}

    objects = charts.Objects(helm.template(values=charts.values(trial)))
    (container,) = objects.one("Deployment", "temporal")["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith(image)


def test_the_first_chain_of_the_notes_is_one_that_the_connection_allows(helm: helms.Helm) -> None:
    notes = helm.notes(
        values=charts.values(
            {
                "spacelift.connections": {
                    "prod": {
                        "endpoint": "https://a",
                        "existingSecret": "b",
                        "allowedNamespaces": ["team-z"],
                        "allowedOperations": ["Apply"],
                    }
                }
            }
        )
    )

    text = notes.split("<<EOF\n")[1].split("EOF\n")[0]
    chain = yaml.safe_load(text)
    assert chain["spec"]["connectionName"] == "prod"
    assert chain["spec"]["operation"] == "Apply"
    assert "kubectl --namespace team-z apply" in notes


def test_notes_say_when_nobody_may_use_the_connection(helm: helms.Helm) -> None:
    notes = helm.notes(
        values=charts.values({"spacelift.connections.default.allowedNamespaces": []})
    )

    assert "serves no namespace (allowedNamespaces is empty)" in notes
    assert "describe schain first" not in notes


@pytest.mark.parametrize("roles", [None, [], ["view", "edit"]], ids=str)
def test_notes_explain_who_may_make_chains(helm: helms.Helm, roles: list[str] | None) -> None:
    notes = helm.notes(values=charts.values({"rbac.aggregatedRoles": roles}))

    is_bound = "create rolebinding stackchain-edit --clusterrole" in notes
    assert is_bound is ("edit" not in (roles or []))
    assert ("(rbac.aggregatedRoles): view, edit." in notes) is (roles == ["view", "edit"])
    assert "The connection default serves all namespaces" in notes


def test_notes_tell_where_deliveries_of_each_signed_connection_go(helm: helms.Helm) -> None:
    served = {"endpoint": "https://a.example.com", "allowedNamespaces": ["*"]}
    signed = {"existingSecret": "signing"}
    notes = helm.notes(
        values=charts.values(
            {
                "spacelift.connections": {
                    "default": {"existingSecret": "a", **served},
                    "prod": {"existingSecret": "b", "webhookSecret": signed, **served},
                    "test": {"existingSecret": "c", "webhookSecret": signed, **served},
                },
                "webhook.enabled": True,
                "webhook.ingress": {"enabled": True, "host": "hooks.example.com"},
            }
        )
    )

    told = re.findall(r"https://hooks.example.com/webhooks/spacelift/(\S+)", notes)
    assert told == ["prod", "test"]


@pytest.mark.parametrize(
    ("crds", "says"),
    [
        ({}, "The definition and the StackChains remain when the release is uninstalled"),
        ({"keep": False}, "Uninstalling the release deletes the definition and all StackChains"),
        ({"enabled": False}, None),
    ],
    ids=["kept", "not kept", "of others"],
)
def test_notes_say_how_to_leave(helm: helms.Helm, crds: dict[str, bool], says: str | None) -> None:
    """Without an operator, nothing removes the finalizers."""
    notes = " ".join(helm.notes(values=charts.values({"crds": crds})).split())

    assert "kubectl delete schain --all --all-namespaces" in notes
    assert "cannot be deleted until someone removes its finalizer" in notes
    assert says is None or says in notes


# The page that people install from


def blocks(text: str) -> list[str]:
    """Return the values in a page: its blocks of YAML that are not files of Kubernetes."""
    found = re.findall(r"^( *)```yaml\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    texts = [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]
    return [text for text in texts if not text.startswith("apiVersion:")]


INSTALL = (helms.ROOT / "docs/install.md").read_text()


@pytest.mark.parametrize("block", blocks(INSTALL), ids=lambda block: block.split("\n")[0])
def test_all_values_of_the_page_are_accepted(helm: helms.Helm, block: str) -> None:
    values = yaml.safe_load(block)

    # What a block is not about is covered by another one.
    assert helm.template(values={**charts.MINIMAL, **values})


@pytest.mark.parametrize("page", ["docs/install.md", "README.md", "charts/stackchain/README.md"])
def test_the_values_in_commands_exist(helm: helms.Helm, page: str) -> None:
    text = (helms.ROOT / page).read_text()
    commands = re.findall(r"helm install .*?(?<!\\)\n", text, re.DOTALL)
    settings_of = [re.findall(r"--set (\S+)", command) for command in commands]

    assert any(settings_of)
    for given in filter(None, settings_of):
        assert helm("template", "stackchain", str(helms.CHART), *(f"--set={g}" for g in given))


def test_values_that_the_page_names_exist() -> None:
    defaults = default_values()
    named = re.findall(
        r"`((?:crds|operator|worker|webhook|temporal|spacelift|installation|rbac|networkPolicy)"
        r"\.[a-zA-Z.]+)",
        INSTALL,
    )

    assert named
    for path in named:
        place = defaults
        for key in path.split("."):
            assert key in place, path
            place = place[key]


def test_each_value_set_that_is_tested_is_for_a_task_of_the_page() -> None:
    tasks = {
        "trial": "#a-trial",
        "production": "#production-step-by-step",
        "temporal-cloud-api-key": "#temporal-tls-and-temporal-cloud",
        "temporal-mtls": "#temporal-tls-and-temporal-cloud",
        "several-accounts": "#several-spacelift-accounts-and-who-may-do-what",
        "watch-namespaces": "#only-some-namespaces",
        "autoscaling-hpa": "#high-availability-and-scale",
        "autoscaling-keda": "#high-availability-and-scale",
        "webhook-ingress": "#webhook",
        "webhook-gateway": "#webhook",
        "notifications": "#notifications",
        "page": "#the-page",
        "own-platform": "#what-your-platform-adds-to-pods",
    }

    assert {file.stem for file in CI_FILES} == set(tasks)
    assert all(f"]({anchor})" in INSTALL for anchor in tasks.values())
