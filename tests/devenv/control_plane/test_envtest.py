import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from devenv import tools
from devenv.control_plane import envtest

INDEX = """
releases:
  v1.35.0:
    envtest-v1.35.0-linux-amd64.tar.gz: {hash: aa, selfLink: https://example.test/35}
  v1.36.0:
    envtest-v1.36.0-linux-amd64.tar.gz: {hash: bb, selfLink: https://example.test/36-0}
    envtest-v1.36.0-darwin-arm64.tar.gz: {hash: cc, selfLink: https://example.test/mac}
  v1.36.10:
    envtest-v1.36.10-linux-amd64.tar.gz: {hash: dd, selfLink: https://example.test/36-10}
  v1.36.2:
    envtest-v1.36.2-linux-amd64.tar.gz: {hash: ee, selfLink: https://example.test/36-2}
  v1.37.0-beta.0:
    envtest-v1.37.0-beta.0-linux-amd64.tar.gz: {hash: ff, selfLink: https://example.test/37}
"""


@pytest.mark.parametrize(
    ("platform_name", "version", "expected"),
    [
        pytest.param("linux-amd64", "1.36.3", "v1.36.10", id="newest patch, by number"),
        pytest.param("darwin-arm64", "1.36.3", "v1.36.0", id="newest one for the platform"),
        pytest.param("linux-riscv64", "1.36.3", None, id="unknown platform"),
        pytest.param("linux-amd64", "1.37.0", None, id="no pre-releases"),
    ],
)
def test_choose(platform_name: str, version: str, expected: str | None) -> None:
    archive = envtest.choose(INDEX, platform_name=platform_name, version=version)

    assert (archive and archive.version) == expected


def test_choose_keeps_address_and_hash_together() -> None:
    archive = envtest.choose(INDEX, platform_name="linux-amd64", version="1.35.9")

    assert archive == envtest.Archive(version="v1.35.0", url="https://example.test/35", sha512="aa")


@pytest.mark.parametrize("text", ["", "releases:\n", "releases: {}\n"])
def test_an_empty_index_has_nothing(text: str) -> None:
    assert envtest.choose(text, platform_name="linux-amd64") is None


def test_the_published_hash_is_accepted_in_any_case() -> None:
    envtest.check_hash(b"data", hashlib.sha512(b"data").hexdigest().upper())


def test_another_hash_is_refused() -> None:
    with pytest.raises(tools.DevError, match="SHA-512"):
        envtest.check_hash(b"other", hashlib.sha512(b"data").hexdigest())


def test_unpack_takes_only_the_programs_and_no_path_of_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "envtest.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for name in ("controller-tools/envtest/etcd", "../../kube-apiserver", "../evil"):
            member = tarfile.TarInfo(name)
            member.size = 4
            file.addfile(member, io.BytesIO(b"ELF!"))
    folder = tmp_path / "inside" / "folder"
    folder.mkdir(parents=True)

    envtest.unpack(archive, folder)

    assert sorted(path.name for path in folder.iterdir()) == ["etcd", "kube-apiserver"]
    assert (folder / "etcd").stat().st_mode & 0o111
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["envtest.tar.gz"]


def test_only_https_is_fetched() -> None:
    with pytest.raises(tools.DevError, match="https"):
        envtest._fetch("http://example.test/etcd")
