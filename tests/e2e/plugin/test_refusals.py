"""Whom `kubectl stackchain` talks to, and the one line when that goes wrong."""

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.plugin.exit_codes import ExitCode
from devenv.control_plane import credentials, server
from tests.support import kube as kube_support
from tests.support.golden import Golden, without_times
from tests.support.plugin import FAILED, SECONDS, SPEC, Kubectl, Operator, ended
from tests.support.waiting import eventually


def kubeconfig_of(control_plane: server.ControlPlane) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(control_plane.kubeconfig.read_text())
    return found


# Whom


async def test_the_namespace_is_that_of_the_context(
    control_plane: server.ControlPlane,
    stackchains: kube_support.StackChains,
    tmp_path: Path,
) -> None:
    await stackchains.create("prod", SPEC)
    config = kubeconfig_of(control_plane)
    here = {**config["contexts"][0]["context"], "namespace": stackchains.namespace}
    config["contexts"].append({"name": "here", "context": here})
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    kubectl = Kubectl(tmp_path / "missing", tmp_path, stackchains.namespace)
    options = ("--kubeconfig", str(tmp_path / "config"))

    by_option = await ended(
        await kubectl.start("stackchain", "tree", "prod", *options, "--context", "here")
    )
    by_default = await ended(await kubectl.start("stackchain", "tree", "prod", *options))

    assert by_option.code == ExitCode.DONE
    assert by_default.code == ExitCode.REFUSED
    assert "in the namespace 'default'" in by_default.err


async def test_without_any_variable_it_is_the_users_own_kubeconfig(
    control_plane: server.ControlPlane, stackchains: kube_support.StackChains, tmp_path: Path
) -> None:
    await stackchains.create("prod", SPEC)
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(control_plane.kubeconfig.read_text())
    kubectl = Kubectl(control_plane.kubeconfig, tmp_path, stackchains.namespace)
    del kubectl.environment["KUBECONFIG"]

    assert (await kubectl("tree", "prod")).code == ExitCode.DONE


# Refusals


async def test_a_chain_that_is_not_there(kubectl: Kubectl, golden: Golden) -> None:
    shown = await kubectl("tree", "prod")

    assert (shown.code, shown.out) == (ExitCode.REFUSED, "")
    text = without_times(shown.err, {kubectl.namespace: "NAMESPACE"})
    golden("plugin_commands").check("refused: no such chain", text)


async def test_a_chain_that_is_called_otherwise(
    kubectl: Kubectl, stackchains: kube_support.StackChains, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)

    shown = await kubectl("tree", "pord")

    assert (shown.code, shown.out) == (ExitCode.REFUSED, "")
    text = without_times(shown.err, {kubectl.namespace: "NAMESPACE"})
    golden("plugin_commands").check("refused: a chain of a similar name", text)


async def test_who_may_not_list_gets_no_name_of_others(
    restricted: Callable[..., Awaitable[Kubectl]], stackchains: kube_support.StackChains
) -> None:
    await stackchains.create("prod", SPEC)
    kubectl = await restricted("get")

    async def is_refused() -> bool:
        # A new Role takes the API server a moment.
        shown = await kubectl("tree", "pord")
        assert (shown.code, shown.err.count("\n")) == (ExitCode.REFUSED, 1)
        assert "did you mean" not in shown.err
        return "there is no StackChain 'pord'" in shown.err

    await eventually(is_refused, SECONDS)


@pytest.mark.parametrize(
    ("verbs", "words", "missing"),
    [
        pytest.param((), ("tree", "prod"), "get", id="nothing"),
        pytest.param(("get",), ("suspend", "prod"), "patch", id="only reading"),
        pytest.param(("get",), ("retry", "prod"), "patch", id="no retry without patch"),
    ],
)
async def test_a_missing_right_is_named(
    verbs: tuple[str, ...],
    words: tuple[str, ...],
    missing: str,
    restricted: Callable[..., Awaitable[Kubectl]],
    stackchains: kube_support.StackChains,
    operator: Operator,
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", FAILED)
    kubectl = await restricted(*verbs)

    async def refused() -> bool:
        # A new Role takes the API server a moment.
        shown = await kubectl(*words)
        assert (shown.code, shown.out) == (ExitCode.REFUSED, "")
        assert shown.err.count("\n") == 1
        return f"you may not {missing} stackchains in the namespace" in shown.err

    await eventually(refused, SECONDS)


async def test_who_may_only_get_sees_the_tree(
    restricted: Callable[..., Awaitable[Kubectl]], stackchains: kube_support.StackChains
) -> None:
    await stackchains.create("prod", SPEC)
    kubectl = await restricted("get")

    async def is_shown() -> bool:
        return (await kubectl("tree", "prod")).code == ExitCode.DONE

    await eventually(is_shown, SECONDS)


async def test_credentials_that_are_not_known(
    control_plane: server.ControlPlane, namespace: str, tmp_path: Path, golden: Golden
) -> None:
    text = credentials.kubeconfig_text(
        server=control_plane.url, ca_file=control_plane.ca_file, user="x", token="wrong"
    )
    (tmp_path / "config").write_text(text)

    shown = await Kubectl(tmp_path / "config", tmp_path, namespace)("tree", "prod")

    assert shown.code == ExitCode.REFUSED
    golden("plugin_commands").check("refused: unknown credentials", shown.err)


@pytest.mark.parametrize("words", [("tree", "prod"), ("ui", "--no-browser")], ids=" ".join)
async def test_an_api_server_that_is_not_there(
    words: tuple[str, ...], control_plane: server.ControlPlane, namespace: str, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        text = credentials.kubeconfig_text(
            server=f"https://127.0.0.1:{unused.getsockname()[1]}",
            ca_file=control_plane.ca_file,
            user="x",
            token="any",
        )
        (tmp_path / "config").write_text(text)

        shown = await Kubectl(tmp_path / "config", tmp_path, namespace)(*words)

    assert shown.code == ExitCode.UNREACHABLE
    assert "the API server does not answer" in shown.err
    assert "again" not in shown.err
    assert shown.err.count("\n") == 1


async def test_a_cluster_without_the_definition(
    own_control_plane: server.ControlPlane, own_kube: kube_support.KubeApi, tmp_path: Path
) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stackchains.stackchain.dev"
    await own_kube.delete(path)
    kubectl = Kubectl(own_control_plane.kubeconfig, tmp_path, "default")

    async def is_told() -> bool:
        shown = await kubectl("tree", "prod")
        assert shown.code == ExitCode.REFUSED
        return "this cluster does not know StackChains: its administrator" in shown.err

    await eventually(is_told, SECONDS)


WRONG = {
    "no kubeconfig": (["tree", "prod", "--kubeconfig", "none"], "is not a file"),
    "no context": (["tree", "prod", "--context", "none"], "none"),
    "no command": (["tre", "prod"], "did you mean 'tree'"),
}


@pytest.mark.parametrize(("words", "expected"), WRONG.values(), ids=WRONG.keys())
async def test_wrong_words_are_one_line(words: list[str], expected: str, kubectl: Kubectl) -> None:
    shown = await kubectl(*words)

    assert shown.code in (ExitCode.USAGE, ExitCode.REFUSED)
    assert expected in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["", "hello", "[1, 2]", "clusters: [", "{contexts: [{}], clusters: 3}"]
)
async def test_a_kubeconfig_of_another_shape_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)

    shown = await Kubectl(tmp_path / "config", tmp_path, "default")("tree", "prod")

    assert shown.code == ExitCode.REFUSED
    assert "config cannot be used" in shown.err


async def test_a_variable_that_names_no_file_is_told(tmp_path: Path) -> None:
    shown = await Kubectl(tmp_path / "none", tmp_path, "default")("tree", "prod")

    assert shown.code == ExitCode.USAGE
    assert "KUBECONFIG: " in shown.err
