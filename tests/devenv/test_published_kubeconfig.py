"""Where people find the kubeconfig of a local environment."""

from pathlib import Path

from devenv import published_kubeconfig


def test_the_path_is_the_same_for_each_environment_and_free_after_it(tmp_path: Path) -> None:
    path = tmp_path / "shell" / "kubeconfig"
    sources = [tmp_path / "first", tmp_path / "second"]
    for source in sources:
        source.write_text(source.name)

    seen = []
    for source in sources:
        published = published_kubeconfig.PublishedKubeconfig(path)
        assert published.publish(source)
        seen.append((path.read_text(), path.stat().st_mode & 0o777))
        published.withdraw()

    assert seen == [("first", 0o600), ("second", 0o600)]
    assert not path.exists()


def test_a_second_environment_leaves_the_path_to_the_first(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    sources = [tmp_path / "first", tmp_path / "second"]
    for source in sources:
        source.write_text(source.name)
    first, second = (published_kubeconfig.PublishedKubeconfig(path) for _ in range(2))

    assert first.publish(sources[0])
    assert not second.publish(sources[1])
    second.withdraw()

    assert path.read_text() == "first"
    first.withdraw()
