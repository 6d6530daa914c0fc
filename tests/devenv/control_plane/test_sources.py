from pathlib import Path

import pytest

from devenv import tools
from devenv.control_plane import binaries, build, sources


def programs(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_what_is_configured_wins_over_the_cache(tmp_path: Path) -> None:
    assets = programs(tmp_path / "assets", "etcd", "kube-apiserver", "kubectl")
    programs(sources.built_folder(tmp_path / "control-plane"), build.PROGRAM)

    binaries = await sources.obtain(kubebuilder_assets=assets, cache_dir=tmp_path, say=print)

    assert binaries.etcd == (str(assets / "etcd"),)
    assert binaries.kube_controller_manager is None
    assert "KUBEBUILDER_ASSETS" in binaries.source


async def test_a_configured_folder_without_programs_is_an_error(tmp_path: Path) -> None:
    """To build something else silently would hide the mistake."""
    with pytest.raises(tools.DevError, match="lacks etcd or kube-apiserver"):
        await sources.obtain(kubebuilder_assets=tmp_path, cache_dir=tmp_path, say=print)


async def test_the_built_program_wins_over_the_downloaded_ones(tmp_path: Path) -> None:
    folder = tmp_path / "control-plane"
    programs(sources.downloaded_folder(folder), "etcd", "kube-apiserver")
    program = programs(sources.built_folder(folder), build.PROGRAM) / build.PROGRAM

    binaries = await sources.obtain(kubebuilder_assets=None, cache_dir=tmp_path, say=print)

    assert binaries.kube_apiserver == (str(program), "kube-apiserver")
    assert binaries.kube_controller_manager == (str(program), "kube-controller-manager")


def test_downloaded_programs_are_found_again(tmp_path: Path) -> None:
    folder = programs(sources.downloaded_folder(tmp_path), "etcd", "kube-apiserver")

    binaries = sources.cached(tmp_path)

    assert binaries is not None
    assert binaries.kube_apiserver == (str(folder / "kube-apiserver"),)


def test_half_of_the_programs_is_none(tmp_path: Path) -> None:
    programs(sources.downloaded_folder(tmp_path), "etcd")

    assert sources.cached(tmp_path) is None


async def test_an_interrupted_fill_leaves_nothing(tmp_path: Path) -> None:
    async def fails(folder: Path) -> bool:
        programs(folder, "etcd")
        raise tools.DevError("no space left")

    with pytest.raises(tools.DevError):
        await sources._fill(tmp_path / "target", fails)

    assert names(tmp_path) == []


async def test_a_fill_appears_at_once_and_replaces_an_old_one(tmp_path: Path) -> None:
    target = programs(tmp_path / "target", "old")

    async def fill(folder: Path) -> bool:
        programs(folder, "new")
        assert (target / "old").exists()
        return True

    assert await sources._fill(target, fill)

    assert names(target) == ["new"]
    assert names(tmp_path) == ["target"]


async def test_a_second_process_waits_for_the_lock_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    async with sources._lock(tmp_path / "lock", said.append):
        with (tmp_path / "lock").open("w") as other:
            assert not sources._try_lock(other.fileno())

    with (tmp_path / "lock").open("w") as other:
        assert sources._try_lock(other.fileno())


def test_the_version_is_stamped_where_clients_and_server_look() -> None:
    flags = build.linker_flags("1.36.3")

    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=36" in flags


def test_the_module_builds_the_version_that_is_stamped() -> None:
    assert f"k8s.io/kubernetes v{binaries.VERSION}\n" in build._source("go.mod").decode()
