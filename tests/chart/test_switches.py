"""What each switch of the chart adds, changes and leaves out."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.config import connections, permissions, settings
from controller.kube import lease
from controller.notify import sinks
from tests.support import charts
from tests.support import helm as helms

Release = Callable[..., charts.Objects]

_CONNECTION = "spacelift.connections.default"
_SINK = {"name": "a", "type": "Slack", "url": "https://a.b", "transitions": ["Problem"]}


# The definition


def test_the_copy_of_the_definition_is_the_definition_byte_for_byte() -> None:
    """If it fails: make chart-docs."""
    ours = {path.name: path.read_bytes() for path in (helms.ROOT / "crds").iterdir()}
    copied = {path.name: path.read_bytes() for path in (helms.CHART / "files/crds").iterdir()}

    assert copied == ours


def test_the_release_has_the_definition_with_nothing_changed_but_labels_and_annotations(
    release: Release,
) -> None:
    source = yaml.safe_load((helms.ROOT / "crds/stackchains.stackchain.dev.yaml").read_text())

    body = release().one("CustomResourceDefinition", "crd")

    assert body["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert body["metadata"].pop("labels")["app.kubernetes.io/managed-by"] == "Helm"
    assert body == source


def test_the_definition_goes_with_the_release_only_if_so_asked(release: Release) -> None:
    body = release({"crds.keep": False}).one("CustomResourceDefinition", "crd")

    assert "annotations" not in body["metadata"]


def test_the_definition_can_be_left_to_others(release: Release) -> None:
    assert release({"crds.enabled": False}).of("CustomResourceDefinition") == []


# Rights


def test_only_the_operator_has_rights_and_a_token(release: Release) -> None:
    objects = release(charts.WEBHOOK)

    bindings = objects.of("ClusterRoleBinding") + objects.of("RoleBinding")
    assert {s["name"] for b in bindings for s in b["subjects"]} == {"release-stackchain-operator"}
    assert {
        name: pod["spec"]["automountServiceAccountToken"] for name, pod in objects.pods().items()
    } == {"operator": True, "worker": False, "webhook": False, "check": False}
    assert all(not a["automountServiceAccountToken"] for a in objects.of("ServiceAccount"))


def test_the_lease_is_part_of_the_release_so_that_nobody_needs_a_right_to_create_leases(
    release: Release,
) -> None:
    objects = release()

    (rule,) = objects.one("Role", "operator")["rules"]
    assert objects.names("Lease") == rule["resourceNames"] == [lease.LEASE_NAME]
    assert rule["verbs"] == ["get", "update"]


def test_each_role_has_a_service_account_of_its_own(release: Release) -> None:
    objects = release(charts.WEBHOOK)
    used = {
        name: pod["spec"].get("serviceAccountName")
        for name, pod in objects.pods().items()
        if name in charts.ROLES
    }

    assert sorted(used.values()) == objects.names("ServiceAccount")
    assert len(set(used.values())) == 3


def test_a_service_account_of_ones_own_is_used_and_bound(release: Release) -> None:
    objects = release({"operator.serviceAccount": {"create": False, "name": "mine"}})

    assert objects.names("ServiceAccount") == ["release-stackchain-worker"]
    assert objects.pods()["operator"]["spec"]["serviceAccountName"] == "mine"
    assert objects.one("ClusterRoleBinding", "operator")["subjects"][0]["name"] == "mine"


NAMESPACED = {
    "watchNamespaces": ["team-a", "team-b"],
    "installation.id": "teams",
    "crds.enabled": False,
}


def roles_of(objects: charts.Objects) -> set[tuple[str, str]]:
    return {
        (body["metadata"]["namespace"], body["metadata"]["name"]) for body in objects.of("Role")
    }


WATCHED_ROLES = {
    ("stackchain-system", "release-stackchain-operator-lease"),
    ("team-a", "release-stackchain-operator"),
    ("team-b", "release-stackchain-operator"),
}


def test_rights_in_watched_namespaces_outlive_these_and_are_kept_to_them(release: Release) -> None:
    objects = release(NAMESPACED)
    (policy,) = objects.of("ValidatingAdmissionPolicy")

    assert roles_of(objects) == WATCHED_ROLES
    assert {rule["resources"][0] for rule in objects.one("ClusterRole", "operator")["rules"]} == {
        "stackchains",
        "stackchains/status",
    }
    assert policy["spec"]["matchConditions"][0]["expression"].endswith(
        '"system:serviceaccount:stackchain-system:release-stackchain-operator"'
    )
    (validation,) = policy["spec"]["validations"]
    assert validation["expression"] == 'request.namespace in ["team-a","team-b"]'
    (binding,) = objects.of("ValidatingAdmissionPolicyBinding")
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]


def test_watched_namespaces_may_get_roles_and_the_cluster_nothing(release: Release) -> None:
    objects = release({**NAMESPACED, "rbac.namespaceDeletion": False})

    assert roles_of(objects) == WATCHED_ROLES
    assert len(objects.of("RoleBinding")) == 3
    kinds = {body["kind"] for body in objects.bodies}
    assert not {kind for kind in kinds if kind.startswith(("Cluster", "Custom", "Validating"))}
    environment = objects.environment("operator")
    assert environment["STACKCHAIN_WATCH_NAMESPACES"] == "team-a,team-b"
    assert environment["STACKCHAIN_INSTALLATION"] == "teams"


def test_the_cluster_is_asked_for_its_id_only_where_the_installation_has_no_name(
    release: Release,
) -> None:
    def reads_namespaces(objects: charts.Objects) -> bool:
        rules = objects.one("ClusterRole", "operator")["rules"]
        return any("namespaces" in rule["resources"] for rule in rules)

    assert reads_namespaces(release())
    assert not reads_namespaces(release({"installation.id": "production"}))


def people_roles(objects: charts.Objects) -> list[charts.Body]:
    return [b for b in objects.of("ClusterRole") if charts.component_of(b) == "people"]


def test_there_are_roles_to_bind_to_people(release: Release) -> None:
    verbs = {
        body["metadata"]["name"].rsplit("-", 1)[-1]: body["rules"][0]["verbs"]
        for body in people_roles(release())
    }

    reading, writing = ["get", "list", "watch"], ["create", "update", "patch", "delete"]
    assert verbs == {
        "view": reading,
        "edit": reading + writing,
        "admin": [*reading, *writing, "deletecollection"],
    }


@pytest.mark.parametrize(
    ("chosen", "aggregated"),
    [
        (None, ["view"]),
        ([], []),
        (["view", "edit", "admin"], ["admin", "edit", "view"]),
    ],
)
def test_which_of_kubernetes_own_roles_include_them_is_a_choice(
    release: Release, chosen: list[str] | None, aggregated: list[str]
) -> None:
    labels = {
        label
        for body in people_roles(release({"rbac.aggregatedRoles": chosen}))
        for label in body["metadata"]["labels"]
        if "aggregate-to" in label
    }

    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    assert sorted(label.removeprefix(prefix) for label in labels) == aggregated


def test_roles_for_people_can_be_left_out(release: Release) -> None:
    assert people_roles(release({"rbac.create": False})) == []


# Pods


def test_every_pod_is_hardened(release: Release) -> None:
    objects = release({**charts.WEBHOOK, "temporal.address": "", **DEV_SERVER})

    assert sorted(objects.pods()) == ["check", "operator", "temporal", "webhook", "worker"]
    for pod in objects.pods().values():
        spec = pod["spec"]
        assert spec["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert spec["enableServiceLinks"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("role", charts.ROLES)
def test_the_role_is_the_only_argument_and_the_entry_point_is_the_images(
    release: Release, role: str
) -> None:
    container = release(charts.WEBHOOK).container(role)

    assert container["args"] == [role]
    assert "command" not in container
    assert container["image"] == "stackchain:0.1.0"


@pytest.mark.parametrize("seconds", [30, 300])
def test_a_worker_has_longer_to_end_than_it_drains(release: Release, seconds: int) -> None:
    objects = release({"worker.gracefulShutdownSeconds": seconds})

    pod = objects.pods()["worker"]["spec"]
    assert objects.environment("worker")["WORKER_GRACEFUL_SHUTDOWN_SECONDS"] == str(seconds)
    assert pod["terminationGracePeriodSeconds"] == seconds + 15


def test_a_webhook_has_longer_to_end_than_it_drains(release: Release) -> None:
    objects = release({**charts.WEBHOOK, "webhook.drainSeconds": 20})

    pod = objects.pods()["webhook"]["spec"]
    assert objects.environment("webhook")["WEBHOOK_DRAIN_SECONDS"] == "20"
    assert pod["terminationGracePeriodSeconds"] == 35


@pytest.mark.parametrize("role", charts.ROLES)
def test_probes_ask_the_health_server_of_each_role(release: Release, role: str) -> None:
    container = release(charts.WEBHOOK).container(role)

    paths = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert paths == {
        "startup": {"path": "/healthz", "port": "http"},
        "liveness": {"path": "/healthz", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }
    assert {"name": "http", "containerPort": 8080, "protocol": "TCP"} in container["ports"]


def test_what_a_platform_adds_reaches_the_pods(helm: helms.Helm) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "own-platform.yaml"))

    for role in ("operator", "worker"):
        template = objects.pods()[role]
        spec = template["spec"]
        container = objects.container(role)
        assert template["metadata"]["labels"]["cost-center"] == "42"
        assert template["metadata"]["labels"]["team"] == "platform"
        assert template["metadata"]["annotations"]["example.com/scrape"] == "true"
        assert spec["imagePullSecrets"] == [{"name": "registry"}]
        assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"}
        assert spec["tolerations"][0]["key"] == "platform"
        assert "nodeAffinity" in spec["affinity"]
        assert [item["name"] for item in spec["initContainers"]] == ["first"]
        assert [item["name"] for item in spec["containers"]] == [role, "sidecar"]
        assert container["image"].startswith("registry.example.com/mirrors/stackchain@sha256:")
        assert container["env"][-1]["name"] == "HTTPS_PROXY"
        assert container["envFrom"] == [{"configMapRef": {"name": "proxy", "optional": True}}]
        assert container["volumeMounts"][-1] == {"name": "shared", "mountPath": "/shared"}
        assert spec["volumes"][-1] == {"name": "shared", "emptyDir": {}}
        spread = spec["topologySpreadConstraints"][0]
        assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == role
    assert all(body["metadata"]["labels"]["team"] == "platform" for body in objects.bodies)
    assert all(
        body["metadata"]["annotations"]["example.com/owner"] == "platform"
        for body in objects.bodies
    )


def test_labels_of_one_kind_of_pods_win_over_those_of_all_objects(helm: helms.Helm) -> None:
    text = helm.render(
        values=charts.values(
            {"commonLabels": {"team": "everybody"}, "worker.podLabels": {"team": "platform"}}
        )
    )

    objects = charts.Objects(helms.bodies(text))
    assert objects.pods()["worker"]["metadata"]["labels"]["team"] == "platform"
    assert objects.pods()["operator"]["metadata"]["labels"]["team"] == "everybody"
    # No key is there twice: whoever reads that may take either.
    assert text.count("team: platform") == 1
    assert text.count("team: everybody") == text.count("app.kubernetes.io/part-of") - 1


def test_the_check_runs_where_and_as_the_workers_do(helm: helms.Helm) -> None:
    """It would answer for them, but it would not get where they are, or reach what they reach."""
    pods = charts.Objects(helm.template(helms.CI_VALUES / "own-platform.yaml")).pods()
    worker, check = (pods[name]["spec"] for name in ("worker", "check"))

    for key in ("nodeSelector", "tolerations", "affinity", "imagePullSecrets"):
        assert check[key] == worker[key]
    assert check["volumes"][-1] == worker["volumes"][-1]
    for key in ("env", "volumeMounts"):
        assert check["containers"][0][key][-1] == worker["containers"][0][key][-1]
    assert check["containers"][0]["envFrom"] == worker["containers"][0]["envFrom"]


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        ({"spacelift.ca.value": "PEM"}, {"worker"}),
        ({"temporal.apiKey.value": "secret"}, {"operator", "worker", "webhook"}),
        ({"temporal.tls.ca.value": "PEM"}, {"operator", "worker", "webhook"}),
        ({f"{_CONNECTION}.allowedNamespaces": ["a"]}, {"operator", "worker", "webhook"}),
        ({"notifications.sinks": [_SINK]}, {"operator", "worker"}),
        ({"notifications.sinks": []}, set()),
        ({"worker.maxCachedWorkflows": 10}, {"worker"}),
        ({"operator.resyncSeconds": 10}, {"operator"}),
        ({"operator.metricsChains": 0}, {"operator"}),
        ({"worker.annotations": {"a": "b"}}, set()),
    ],
    ids=lambda value: " ".join(sorted(value)) or "none",
)
def test_a_changed_setting_rolls_the_pods_that_read_it_once(
    release: Release, changes: dict[str, Any], roles: set[str]
) -> None:
    before = release(charts.WEBHOOK).pods()
    after = release({**charts.WEBHOOK, **changes}).pods()

    assert {name for name in charts.ROLES if before[name] != after[name]} == roles


def test_a_changed_text_that_is_read_once_rolls_the_pods(release: Release) -> None:
    """Names of Secrets and ConfigMaps are in the pods anyway; what is in them shows by its hash."""

    def pods(changes: dict[str, Any], text: str) -> dict[str, Any]:
        filled = {path: f"{value}{text}" for path, value in changes.items()}
        return release({**charts.WEBHOOK, **filled}).pods()

    for changes, roles in (
        ({"spacelift.ca.value": "PEM"}, {"worker"}),
        ({"temporal.tls.ca.value": "PEM"}, set(charts.ROLES)),
        (
            {"temporal.tls.client.certificate": "PEM", "temporal.tls.client.privateKey": "PEM"},
            set(charts.ROLES),
        ),
    ):
        one, other = pods(changes, "1"), pods(changes, "2")
        assert {name for name in charts.ROLES if one[name] != other[name]} == roles, changes


# How many


def test_replicas_are_fixed_unless_something_scales_them(release: Release) -> None:
    assert release().one("Deployment", "worker")["spec"]["replicas"] == 2
    assert release({"worker.replicas": 0}).one("Deployment", "worker")["spec"]["replicas"] == 0
    for kind in ("hpa", "keda"):
        scaled = release({"worker.autoscaling.type": kind})
        assert "replicas" not in scaled.one("Deployment", "worker")["spec"]


def test_the_processor_time_of_workers_scales_them(helm: helms.Helm) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "autoscaling-hpa.yaml"))

    scaler = objects.one("HorizontalPodAutoscaler", "worker")["spec"]
    assert scaler["scaleTargetRef"]["name"] == "release-stackchain-worker"
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 12)


def test_the_backlog_of_the_task_queue_scales_workers(helm: helms.Helm) -> None:
    """KEDA is on no API server here: the shape is that of its documentation."""
    objects = charts.Objects(helm.template(helms.CI_VALUES / "autoscaling-keda.yaml"))

    scaled = objects.one("ScaledObject", "worker")
    secrets = objects.one("TriggerAuthentication", "worker")
    (trigger,) = scaled["spec"]["triggers"]
    assert scaled["spec"]["scaleTargetRef"] == {"name": "release-stackchain-worker"}
    assert trigger["type"] == "temporal"
    assert trigger["metadata"] == {
        "endpoint": "us-east-1.aws.api.temporal.io:7233",
        "namespace": "stackchain.a1b2c",
        "taskQueue": "spacelift-task-queue-stackchain-system",
        "queueTypes": "workflow,activity",
        "targetQueueSize": "50",
    }
    assert trigger["authenticationRef"] == {"name": secrets["metadata"]["name"]}
    assert secrets["spec"]["secretTargetRef"] == [
        {"parameter": "apiKey", "name": "temporal-cloud", "key": "api-key"}
    ]


@pytest.mark.parametrize(
    ("ca", "below"),
    [
        ({"existingSecret": "authority"}, "secretTargetRef"),
        ({"existingConfigMap": "authority"}, "configMapTargetRef"),
        ({"value": "PEM"}, "configMapTargetRef"),
    ],
    ids=["Secret", "ConfigMap", "value"],
)
def test_the_scaler_trusts_the_authority_that_the_workers_trust(
    release: Release, ca: dict[str, str], below: str
) -> None:
    objects = release(
        {
            "worker.autoscaling.type": "keda",
            "temporal.tls.client": {"certificate": "PEM", "privateKey": "PEM"},
            "temporal.tls.ca": ca,
        }
    )

    spec = objects.one("TriggerAuthentication", "worker")["spec"]
    volumes = {item["name"]: item for item in objects.pods()["worker"]["spec"]["volumes"]}
    mounted = volumes["temporal-ca"]
    (trusted,) = [item for item in spec[below] if item["parameter"] == "ca"]
    source = mounted.get("configMap") or mounted["secret"]
    assert trusted["name"] == source.get("name", source.get("secretName"))
    assert trusted["key"] == "ca.crt"
    client = objects.one("Secret", "temporal-credentials")["metadata"]["name"]
    assert {item["name"] for item in spec["secretTargetRef"]} - {"authority"} == {client}


def test_workers_that_are_all_replaced_at_once_have_no_times_of_a_rolling_upgrade(
    release: Release,
) -> None:
    """Kubernetes refuses the one together with the other, which the chart sets by default."""
    strategy = release({"worker.strategy.type": "Recreate"}).one("Deployment", "worker")

    assert strategy["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["worker"]),
        ({"operator.replicas": 2, **charts.WEBHOOK}, ["operator", "webhook", "worker"]),
        ({"worker.replicas": 1}, []),
        ({"worker.podDisruptionBudget.enabled": False}, []),
        ({"worker.autoscaling": {"type": "hpa", "minReplicas": 1}}, []),
    ],
    ids=str,
)
def test_a_budget_is_there_for_more_than_one_pod(
    release: Release, changes: dict[str, Any], names: list[str]
) -> None:
    found = release(changes).of("PodDisruptionBudget")

    assert sorted(charts.component_of(body) for body in found) == names
    assert all(body["spec"]["maxUnavailable"] == 1 for body in found)


# Temporal

DEV_SERVER = {"temporal.devServer.enabled": True}


def test_a_trial_brings_its_own_temporal_and_uses_it(helm: helms.Helm) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "trial.yaml"))

    server = objects.one("Deployment", "temporal")
    service = objects.one("Service", "temporal")
    for role in ("operator", "worker", "check"):
        address = objects.environment(role)["TEMPORAL_ADDRESS"]
        assert address == f"{service['metadata']['name']}.stackchain-system.svc:7233"
    assert server["spec"]["strategy"] == {"type": "Recreate"}
    assert server["spec"]["template"]["metadata"]["labels"].items() >= (
        service["spec"]["selector"].items()
    )


def test_the_development_server_can_be_another_image(release: Release) -> None:
    changes = {
        "temporal.address": "",
        "temporal.devServer": {
            "enabled": True,
            "image": {"registry": "local", "repository": "ours", "tag": "1", "pullPolicy": "Never"},
            "command": ["python3", "-m", "temporal"],
            "args": ["server"],
        },
    }

    container = release(changes).container("temporal")

    assert (container["image"], container["imagePullPolicy"]) == ("local/ours:1", "Never")
    assert (container["command"], container["args"]) == (["python3", "-m", "temporal"], ["server"])


def test_no_temporal_runs_in_a_release_that_has_one(release: Release) -> None:
    assert "temporal" not in release().pods()


@pytest.mark.parametrize(
    ("changes", "variables"),
    [
        ({}, {}),
        (
            {"temporal.apiKey.existingSecret": "cloud"},
            {
                "TEMPORAL_TLS": "true",
                "TEMPORAL_API_KEY_FILE": "/etc/stackchain/temporal/api-key/cloud/api-key",
            },
        ),
        (
            {"temporal.tls": {"client": {"existingSecret": "mtls"}, "serverName": "front"}},
            {
                "TEMPORAL_TLS": "true",
                "TEMPORAL_TLS_SERVER_NAME": "front",
                "TEMPORAL_TLS_CLIENT_CERT_PATH": "/etc/stackchain/temporal/client/mtls/tls.crt",
                "TEMPORAL_TLS_CLIENT_KEY_PATH": "/etc/stackchain/temporal/client/mtls/tls.key",
            },
        ),
        (
            {"temporal.tls.ca.value": "PEM"},
            {
                "TEMPORAL_TLS": "true",
                "TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/etc/stackchain/temporal/ca/ca.crt",
            },
        ),
        ({"temporal.tls.enabled": True}, {"TEMPORAL_TLS": "true"}),
        (
            {"temporal.uiUrl": "https://ui.example.com"},
            {"TEMPORAL_UI_URL": "https://ui.example.com"},
        ),
    ],
    ids=str,
)
def test_every_role_reaches_temporal_in_the_same_way(
    release: Release, changes: dict[str, Any], variables: dict[str, str]
) -> None:
    objects = release({**charts.WEBHOOK, **changes})
    always = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_TASK_QUEUE"}

    for role in (*charts.ROLES, "check"):
        environment = objects.environment(role)
        ours = {name: environment[name] for name in environment if name.startswith("TEMPORAL_")}
        assert {name: ours[name] for name in ours if name not in always} == variables
        files = [value for value in ours.values() if value.startswith("/")]
        assert all(is_mounted(objects, role, file) for file in files)


def is_mounted(objects: charts.Objects, component: str, file: str) -> bool:
    """Return whether a file would be there, if the Secret or ConfigMap has the key."""
    volumes = {item["name"]: item for item in objects.pods()[component]["spec"]["volumes"]}
    for mount in objects.container(component)["volumeMounts"]:
        if str(Path(file).parent) == mount["mountPath"]:
            source = volumes[mount["name"]]
            items = (source.get("secret") or source.get("configMap") or {}).get("items")
            return items is None or Path(file).name in [item["path"] for item in items]
    return False


# Spacelift


def read_connections(objects: charts.Objects, tmp_path: Path) -> connections.ConnectionCatalog:
    """Read the connections as the program reads them."""
    file = tmp_path / "connections.yaml"
    file.write_text(objects.one("ConfigMap", "connections")["data"]["connections.yaml"])
    return connections.ConnectionCatalog(
        settings.load_settings({"SPACELIFT_CONNECTIONS_FILE": str(file)}).spacelift
    )


def test_the_program_reads_the_connections_as_they_are_meant(
    helm: helms.Helm, tmp_path: Path
) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "several-accounts.yaml"))

    catalog = read_connections(objects, tmp_path)

    default, sandbox = catalog.get("default"), catalog.get("sandbox")
    assert default is not None
    assert sandbox is not None
    assert default.endpoint == "https://example.app.spacelift.io"
    assert default.allowed == permissions.Permissions(namespaces=("*",), operations=("Plan",))
    assert sandbox.allowed == permissions.Permissions(
        namespaces=("team-a", "team-b"),
        operations=("Apply", "Destroy", "Plan"),
        confirmation_policies=("StackDefault",),
        variables=("TF_LOG",),
        allows_commit=False,
        stack_ids=("sandbox-base",),
        stack_labels=("stackchain:allowed",),
    )


def test_an_empty_list_allows_nothing(release: Release, tmp_path: Path) -> None:
    objects = release({f"{_CONNECTION}.allowedNamespaces": []})

    connection = read_connections(objects, tmp_path).get("default")

    assert connection is not None
    assert connection.allowed == permissions.Permissions(namespaces=())


@pytest.mark.parametrize("values", ["several-accounts", "trial"])
def test_the_key_files_of_each_connection_are_where_the_worker_looks_and_nowhere_else(
    helm: helms.Helm, values: str
) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / f"{values}.yaml"))
    text = objects.one("ConfigMap", "connections")["data"]["connections.yaml"]
    entries = yaml.safe_load(text)["connections"]

    for entry in entries.values():
        for file in (entry["apiKeyIdFile"], entry["apiKeySecretFile"]):
            assert is_mounted(objects, "worker", file)
            assert is_mounted(objects, "check", file)
            assert not is_mounted(objects, "operator", file)


def test_a_key_in_the_values_becomes_a_secret_with_the_keys_that_are_mounted(
    helm: helms.Helm,
) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "trial.yaml"))

    secret = objects.one("Secret", "spacelift-default")
    volumes = {item["name"]: item for item in objects.pods()["worker"]["spec"]["volumes"]}
    mounted = volumes["spacelift-default"]["secret"]
    assert mounted["secretName"] == secret["metadata"]["name"]
    assert {item["key"] for item in mounted["items"]} == set(secret["stringData"])
    assert secret["stringData"]["api-key-secret"] == "not-a-secret"


def test_no_secret_is_in_anything_but_a_secret(helm: helms.Helm) -> None:
    values = charts.values(
        {
            _CONNECTION: {
                "endpoint": "https://a",
                "apiKeyId": "hush-id",
                "allowedNamespaces": ["*"],
                "apiKeySecret": "hush-key",
                "webhookSecret": {"values": ["hush-hook"]},
            },
            "webhook.enabled": True,
            "temporal.apiKey.value": "hush-temporal",
            "temporal.tls.client": {"certificate": "PEM", "privateKey": "hush-private"},
        }
    )

    others = [body for body in helm.template(values=values) if body["kind"] != "Secret"]

    assert "hush" not in json.dumps(others)
    assert "hush" not in helm.notes(values=values)


def test_only_operator_and_workers_have_the_signing_keys(release: Release) -> None:
    objects = release(charts.WEBHOOK)
    secret = objects.one("Secret", "signing")["metadata"]["name"]
    file = f"/etc/stackchain/signing/{secret}/signing-keys"

    having = {component for component in objects.pods() if is_mounted(objects, component, file)}

    assert having == {"operator", "worker"}


def test_signing_keys_of_your_own_take_the_place_of_the_charts(release: Release) -> None:
    objects = release({"signing": {"existingSecret": "own", "key": "hmac"}})

    assert is_mounted(objects, "worker", "/etc/stackchain/signing/own/hmac")
    assert objects.of("Secret") == []


def test_all_roles_have_the_payload_keys(release: Release) -> None:
    """The receiver reads which roots a sweep is about."""
    objects = release(
        {**charts.WEBHOOK, "temporal.payloadKeys": {"existingSecret": "own", "key": "aes"}}
    )

    for component in objects.pods():
        assert is_mounted(objects, component, "/etc/stackchain/temporal/payload-keys/own/aes")


def test_the_receiver_can_have_credentials_for_temporal_of_its_own(release: Release) -> None:
    """It faces the internet, and needs less than the others."""
    objects = release(
        {
            **charts.WEBHOOK,
            "temporal.apiKey.existingSecret": "cloud",
            "temporal.tls.client.existingSecret": "mtls",
            "webhook.temporal.apiKey.existingSecret": "receivers-cloud",
            "webhook.temporal.client.existingSecret": "receivers-mtls",
        }
    )
    of_all = ("api-key/cloud/api-key", "client/mtls/tls.key")
    of_its_own = ("api-key/receivers-cloud/api-key", "client/receivers-mtls/tls.key")

    for component, there, not_there in (
        ("webhook", of_its_own, of_all),
        ("worker", of_all, of_its_own),
        ("operator", of_all, of_its_own),
    ):
        for name in there:
            assert is_mounted(objects, component, f"/etc/stackchain/temporal/{name}")
        for name in not_there:
            assert not is_mounted(objects, component, f"/etc/stackchain/temporal/{name}")


def test_a_missing_secret_lets_the_pod_start_and_say_so(release: Release) -> None:
    """A pod that waits for a volume is silent; ours ends with one line, which Kubernetes keeps."""
    pods = release({"temporal.apiKey.existingSecret": "cloud"}).pods()

    for pod in pods.values():
        secrets = [item["secret"] for item in pod["spec"]["volumes"] if "secret" in item]
        assert secrets
        assert all(secret["optional"] for secret in secrets)
        (container,) = pod["spec"]["containers"]
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_a_receiver_without_its_secret_does_not_start(release: Release) -> None:
    """It would refuse every delivery, and Spacelift disables a webhook after ten refusals."""
    volumes = release(charts.WEBHOOK).pods()["webhook"]["spec"]["volumes"]

    (secret,) = [item["secret"] for item in volumes if "secret" in item]
    assert secret["secretName"] == "signing"
    assert "optional" not in secret


# The receiver


def test_without_the_receiver_there_is_nothing_of_it(release: Release) -> None:
    assert [b for b in release().bodies if charts.component_of(b) == "webhook"] == []


def test_the_receiver_has_signing_secrets_and_no_api_key(helm: helms.Helm) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "webhook-ingress.yaml"))
    text = objects.one("ConfigMap", "connections")["data"]["connections.yaml"]
    entry = yaml.safe_load(text)["connections"]["default"]

    assert len(entry["webhookSecretFiles"]) == 2
    assert all(is_mounted(objects, "webhook", file) for file in entry["webhookSecretFiles"])
    assert not is_mounted(objects, "webhook", entry["apiKeySecretFile"])
    assert not is_mounted(objects, "worker", entry["webhookSecretFiles"][0])


def test_the_program_reads_the_signing_secrets_in_their_order(
    helm: helms.Helm, tmp_path: Path
) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "webhook-ingress.yaml"))

    connection = read_connections(objects, tmp_path).get("default")

    assert connection is not None
    names = [secret.file.name for secret in connection.webhook_secrets if secret.file]
    assert names == ["previous", "current"]


def test_an_ingress_leads_to_the_receiver_with_tls(helm: helms.Helm) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "webhook-ingress.yaml"))

    ingress, service = objects.one("Ingress", "webhook"), objects.one("Service", "webhook")
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert rule["host"] == "stackchain.example.com"
    assert (path["path"], path["pathType"]) == ("/webhooks/spacelift", "Prefix")
    assert path["backend"]["service"] == {
        "name": service["metadata"]["name"],
        "port": {"name": "webhook"},
    }
    assert ingress["spec"]["tls"][0]["hosts"] == ["stackchain.example.com"]
    assert service["spec"]["ports"][0]["targetPort"] == "webhook"


def test_a_gateway_leads_to_the_receiver(helm: helms.Helm) -> None:
    """The Gateway API is on no API server here: the shape is that of its documentation."""
    objects = charts.Objects(helm.template(helms.CI_VALUES / "webhook-gateway.yaml"))

    route = objects.one("HTTPRoute", "webhook")["spec"]
    service = objects.one("Service", "webhook")
    assert route["parentRefs"] == [
        {"name": "public", "namespace": "gateways", "sectionName": "https"}
    ]
    assert route["hostnames"] == ["stackchain.example.com"]
    assert route["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/webhooks/spacelift"}}],
            "backendRefs": [
                {
                    "name": service["metadata"]["name"],
                    "port": service["spec"]["ports"][0]["port"],
                }
            ],
        }
    ]


# Notifications


def test_sinks_are_written_for_the_program_and_their_secrets_reach_the_worker_only(
    helm: helms.Helm,
) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "notifications.yaml"))
    text = objects.one("ConfigMap", "notifications")["data"]["notifications.yaml"]
    on_call, audit = yaml.safe_load(text)["sinks"]

    folder = "/etc/stackchain/sinks"
    assert on_call == {
        "name": "on-call",
        "type": "Slack",
        "urlFile": f"{folder}/on-call/slack/url",
        "transitions": ["AwaitingConfirmation", "RunFailed", "RunTimedOut", "Problem"],
    }
    assert audit["url"] == "https://audit.example.com/events"
    assert audit["headerFiles"] == {"Authorization": f"{folder}/audit/audit/authorization"}
    assert audit["namespaces"] == ["production"]
    for role in ("operator", "worker", "check"):
        file = objects.environment(role)["NOTIFICATIONS_FILE"]
        assert is_mounted(objects, role, file)
    volumes = {item["name"]: item for item in objects.pods()["worker"]["spec"]["volumes"]}
    (source,) = volumes["sink-on-call"]["projected"]["sources"]
    assert source["secret"] == {
        "name": "slack",
        "optional": True,
        "items": [{"key": "url", "path": "slack/url"}],
    }
    assert not any("sink-" in v["name"] for v in objects.pods()["operator"]["spec"]["volumes"])


def test_the_program_reads_the_sinks_as_they_are_meant(helm: helms.Helm, tmp_path: Path) -> None:
    objects = charts.Objects(helm.template(helms.CI_VALUES / "notifications.yaml"))
    file = tmp_path / "notifications.yaml"
    file.write_text(objects.one("ConfigMap", "notifications")["data"]["notifications.yaml"])

    on_call, audit = sinks.SinkCatalog(file).all().values()

    assert on_call.url_file is not None
    assert str(on_call.url_file.file) == "/etc/stackchain/sinks/on-call/slack/url"
    assert audit.namespaces == ["production"]
    assert str(audit.header_files["Authorization"].file).endswith("/audit/authorization")


def test_a_release_without_sinks_has_no_file_of_them(release: Release) -> None:
    objects = release()

    assert "NOTIFICATIONS_FILE" not in objects.environment("worker")
    assert [b for b in objects.bodies if charts.component_of(b) == "notifications"] == []


# The network


def test_policies_open_what_each_role_needs(release: Release) -> None:
    objects = release(
        {
            **charts.WEBHOOK,
            "networkPolicy.enabled": True,
            f"{_CONNECTION}.endpoint": "https://spacelift.example.com:8443",
        }
    )

    def ports(direction: str, role: str) -> list[object]:
        rules = objects.one("NetworkPolicy", role)["spec"][direction]
        return [port["port"] for rule in rules for port in rule["ports"]]

    assert ports("egress", "operator") == [53, 53, 7233, 443, 6443]
    assert ports("egress", "worker") == [53, 53, 7233, 8443]
    assert ports("egress", "webhook") == [53, 53, 7233]
    assert ports("egress", "check") == [53, 53, 7233, 8443]
    assert ports("ingress", "worker") == ["http"]
    assert ports("ingress", "webhook") == ["http", "webhook"]
    assert ports("ingress", "check") == []


@pytest.mark.parametrize(
    ("where", "port"),
    [
        ({"url": "http://alerts.monitoring.svc:9093/x"}, 9093),
        ({"url": "http://alerts.monitoring.svc/x"}, 80),
        ({"urlSecret": {"name": "slack", "key": "url"}}, 443),
    ],
    ids=["its own port", "the port of its scheme", "a URL that only the Secret has"],
)
def test_workers_may_call_the_sinks(release: Release, where: dict[str, Any], port: int) -> None:
    objects = release(
        {
            "networkPolicy.enabled": True,
            f"{_CONNECTION}.endpoint": "https://spacelift.example.com:8443",
            "notifications.sinks": [
                {"name": "a", "type": "CloudEvents", "transitions": ["Problem"], **where}
            ],
        }
    )

    def may_call(role: str) -> bool:
        rules = objects.one("NetworkPolicy", role)["spec"]["egress"]
        return port in [item["port"] for rule in rules for item in rule["ports"]]

    assert may_call("worker")
    # It notifies no one.
    assert not may_call("check")


@pytest.mark.parametrize(
    ("value", "role", "port"),
    [
        ("dnsTo", "webhook", 53),
        ("temporalTo", "webhook", 7233),
        ("apiServerTo", "operator", 6443),
        ("spaceliftTo", "worker", 8443),
        ("spaceliftTo", "check", 8443),
        ("sinksTo", "worker", 9093),
    ],
)
def test_a_policy_can_be_narrowed_to_where_something_is(
    release: Release, value: str, role: str, port: int
) -> None:
    peers = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    sink = {
        "name": "a",
        "type": "CloudEvents",
        "transitions": ["Problem"],
        "url": "http://alerts.monitoring.svc:9093/x",
    }
    objects = release(
        {
            **charts.WEBHOOK,
            "networkPolicy.enabled": True,
            f"networkPolicy.{value}": peers,
            f"{_CONNECTION}.endpoint": "https://spacelift.example.com:8443",
            "notifications.sinks": [sink],
        }
    )

    rules = objects.one("NetworkPolicy", role)["spec"]["egress"]
    narrowed = {item["port"] for rule in rules if rule.get("to") == peers for item in rule["ports"]}

    assert port in narrowed
    assert all(rule.get("to") in (None, peers) for rule in rules)
    assert sum(rule.get("to") == peers for rule in rules) == 1


def test_a_policy_selects_the_pods_of_its_role(release: Release) -> None:
    objects = release({**charts.WEBHOOK, "networkPolicy.enabled": True})

    for role in (*charts.ROLES, "check"):
        selector = objects.one("NetworkPolicy", role)["spec"]["podSelector"]["matchLabels"]
        assert objects.pods()[role]["metadata"]["labels"].items() >= selector.items()


# Names


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "release-stackchain-operator"),
        ({"nameOverride": "chains"}, "release-chains-operator"),
        ({"fullnameOverride": "ours"}, "ours-operator"),
        ({"fullnameOverride": "x" * 80}, f"{'x' * 50}-operator"),
    ],
    ids=["default", "name", "full name", "too long"],
)
def test_names_can_be_overridden_and_stay_short(
    release: Release, changes: dict[str, Any], name: str
) -> None:
    objects = release(changes)

    assert objects.one("Deployment", "operator")["metadata"]["name"] == name
    assert all(
        re.fullmatch(r"[a-z0-9-]{1,63}", body["metadata"]["name"])
        for kind in ("Deployment", "Pod", "Service")
        for body in objects.of(kind)
    )
