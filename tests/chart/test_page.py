"""The role `ui`: off by default, without rights and keys, with a switch for a wall screen."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.config import settings
from tests.support import charts
from tests.support import helm as helms

Release = Callable[..., charts.Objects]


def test_there_is_no_page_unless_it_is_asked_for(release: Release) -> None:
    assert "ui" not in release(charts.WEBHOOK).pods()


def test_the_page_has_no_rights_and_nothing_of_spacelift_and_temporal(release: Release) -> None:
    objects = release({**charts.WEBHOOK, **charts.UI})
    environment = objects.environment("ui")

    bindings = objects.of("ClusterRoleBinding") + objects.of("RoleBinding")
    account = objects.pods()["ui"]["spec"]["serviceAccountName"]
    assert account not in {s["name"] for b in bindings for s in b["subjects"]}
    assert not [n for n in environment if n.startswith(("SPACELIFT_", "TEMPORAL_", "WEBHOOK_"))]
    assert [one["name"] for one in objects.pods()["ui"]["spec"]["volumes"]] == ["tmp"]
    assert objects.container("ui")["args"] == ["ui"]


def test_its_variables_are_those_that_the_program_reads(release: Release) -> None:
    environment = release({**charts.UI, "ui.namespaces": ["b", "a"]}).environment("ui")

    found = settings.load_ui_settings(environment)

    assert found.page.url == "https://stackchain.example.com"
    assert found.ui.namespaces == ("a", "b")
    assert not found.ui.anonymous


def test_the_operator_links_to_it_in_notifications(release: Release) -> None:
    assert release(charts.UI).environment("operator")["UI_URL"] == charts.UI["ui.url"]
    assert "UI_URL" not in release({}).environment("operator")
    # No page, no links to it.
    without = {**charts.UI, "ui.enabled": False}
    assert "UI_URL" not in release(without).environment("operator")


def test_it_looks_where_the_release_serves_unless_told_otherwise(release: Release) -> None:
    served = {
        **charts.UI,
        "crds.enabled": False,
        "installation.id": "teams",
        "watchNamespaces": ["team-a", "team-b"],
    }

    def namespaces(changes: dict[str, Any]) -> str | None:
        return release({**served, **changes}).environment("ui").get("UI_NAMESPACES")

    assert namespaces({}) == "team-a,team-b"
    assert namespaces({"ui.namespaces": ["team-b"]}) == "team-b"


@pytest.mark.parametrize("namespaces", [[], ["team-a", "team-b"]])
def test_a_wall_screen_may_look_and_nothing_else(release: Release, namespaces: list[str]) -> None:
    changes = {**charts.UI, "ui.anonymous": True, "ui.namespaces": namespaces}
    objects = release(changes)
    none = release({**changes, "rbac.create": False})

    kind = "Role" if namespaces else "ClusterRole"
    roles = [body for body in objects.of(kind) if is_of_page(body)]
    bindings = [body for body in objects.of(f"{kind}Binding") if is_of_page(body)]
    assert [body["metadata"].get("namespace", "") for body in roles] == (namespaces or [""])
    assert {verb for body in roles for rule in body["rules"] for verb in rule["verbs"]} == {
        "get",
        "list",
        "watch",
    }
    names = {body["metadata"]["name"] for body in roles}
    assert {body["roleRef"]["name"] for body in bindings} == names
    assert {body["subjects"][0]["name"] for body in bindings} == {"release-stackchain-ui"}
    assert not [body for body in none.of(kind) if is_of_page(body)]


def is_of_page(body: dict[str, Any]) -> bool:
    labels = body["metadata"]["labels"]
    return bool(labels["app.kubernetes.io/component"] == "ui")


def test_its_policy_lets_it_reach_the_api_server_alone(release: Release) -> None:
    peers = [{"podSelector": {"matchLabels": {"a": "b"}}}]
    changes = {**charts.UI, "networkPolicy.enabled": True, "networkPolicy.uiFrom": peers}
    policy = release(changes).one("NetworkPolicy", "ui")["spec"]

    ports = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
    assert ports == [53, 53, 443, 6443]
    assert {"ports": [{"port": "page", "protocol": "TCP"}], "from": peers} in policy["ingress"]


def test_the_service_leads_to_the_page(release: Release) -> None:
    objects = release(charts.UI)
    service = objects.one("Service", "ui")["spec"]

    assert service["ports"][0]["targetPort"] == "page"
    assert {"name": "page", "containerPort": 8090, "protocol": "TCP"} in objects.container("ui")[
        "ports"
    ]
    labels = objects.pods()["ui"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()


REFUSED = {
    "no address": ({"ui.enabled": True}, "ui.url"),
    "an address with a path": ({**charts.UI, "ui.url": "https://a.example.com/b"}, "url"),
    "nobody serves it": (
        {
            **charts.UI,
            "crds.enabled": False,
            "installation.id": "teams",
            "watchNamespaces": ["team-a"],
            "ui.namespaces": ["team-c"],
        },
        "ui.namespaces: team-c",
    ),
    "no page to reach": (
        {"networkPolicy.enabled": True, "networkPolicy.uiFrom": [{"podSelector": {}}]},
        "networkPolicy.uiFrom",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_page_is_refused(helm: helms.Helm, case: str) -> None:
    changes, said = REFUSED[case]
    with pytest.raises(helms.HelmRefused, match=said):
        helm.render(values=charts.values(changes))
