"""The documentation site: whole, without a warning, and without anything from another site."""

import json
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import definition, site

needs_generator = pytest.mark.skipif(not site.PYTHON.exists(), reason=site.MISSING)

built_site = site.load("built_site")
pages = site.load("pages")

# On GitHub, the list of what is in docs/; the site has its navigation instead.
NOT_IN_THE_SITE = {"README.md"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("built") / "site"
    done = site.run_build("--output", folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def found(built: Path) -> dict[str, Any]:
    """What each of its pages names."""
    read: dict[str, Any] = built_site.read_pages(built)
    return read


# The site


@needs_generator
def test_each_page_of_docs_is_in_the_navigation(found: dict[str, Any]) -> None:
    docs = site.ROOT / "docs"
    wanted = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} - NOT_IN_THE_SITE
    linked = {link.removeprefix("./") for link in found["index.html"].links}

    assert {name.removesuffix(".md") + ".html" for name in wanted} - linked == set()


@needs_generator
def test_what_pages_link_to_is_in_the_site(built: Path) -> None:
    for name in ("chart.html", "changelog.html", "examples/platform.yaml.html", "definition.html"):
        assert (built / name).is_file()
    assert "stackIds" in (built / "examples/platform.yaml.html").read_text(encoding="utf-8")


@needs_generator
def test_nothing_comes_from_another_site(found: dict[str, Any]) -> None:
    addresses = {address for page in found.values() for address in page.fetched}

    assert [address for address in addresses if re.match(r"(https?:)?//", address)] == []
    assert sum(len(page.links) for page in found.values()) > 1000
    assert all(page.fetched for page in found.values())


@needs_generator
def test_each_page_shows_the_version(built: Path) -> None:
    version = re.search(r'^version = "(.*)"', (site.ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None

    for name in ("index.html", "tasks/retry.html"):
        assert f"StackChain {version[1]}" in (built / name).read_text(encoding="utf-8")


@needs_generator
def test_code_and_paragraphs_stay_in_the_items_of_their_list(built: Path) -> None:
    """A list that ends early starts again with 1 after each block of code."""
    html = (built / "webhooks.html").read_text(encoding="utf-8")
    part = html.split('id="set-up"')[-1] if 'id="set-up"' in html else html

    assert "<pre>" not in re.sub(r"<div class=\"[^\"]*highlight.*?</div>", "", part, flags=re.S)
    assert re.search(r"<li>\s*<p>(?:(?!</li>).)*<div class=\"[^\"]*highlight", html, re.S)


# Versions


@needs_generator
def test_a_version_is_added_to_those_of_a_folder_and_served(tmp_path: Path) -> None:
    (tmp_path / "0.0.9").mkdir()
    (tmp_path / "versions.json").write_text('[{"version": "0.0.9"}, {"version": "0.0.8"}]')

    with site.serving("--versions", tmp_path, "--version", "0.0.10") as address:
        listed = json.loads(_get(f"{address}versions.json"))
        first = _get(address)
        page = _get(f"{address}0.0.10/index.html")

    assert [entry["version"] for entry in listed] == ["0.0.10", "0.0.9"]
    assert [entry["aliases"] for entry in listed] == [["latest"], []]
    assert "url=0.0.10/index.html" in first
    # The theme looks for the list above the version.
    assert '"provider":"mike"' in page.replace(" ", "")


def _get(address: str) -> str:
    with httpx.Client(trust_env=False) as http:
        return http.get(address).raise_for_status().text


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("0.9.0", "0.10.0"), ("1.0.0-rc.1", "1.0.0"), ("1.0.0-rc.1", "1.0.0-rc.2"), ("1.0", "1.0.1")],
)
def test_versions_are_in_the_order_of_their_numbers(
    tmp_path: Path, earlier: str, later: str
) -> None:
    build = site.load("build")
    for version in (later, earlier):
        (tmp_path / version).mkdir()

    build.list_version(tmp_path, later)

    assert build.list_version(tmp_path, earlier) == [later, earlier]


@needs_generator
def test_a_site_of_an_earlier_build_is_replaced(built: Path) -> None:
    (built / "gone.html").write_text("", encoding="utf-8")

    assert site.run_build("--output", built).returncode == 0

    assert (built / "index.html").is_file()
    assert not (built / "gone.html").exists()


# What is refused before anything is built


REFUSED = {
    "a path": (["--version", "../elsewhere"], "invalid version '../elsewhere'"),
    "a number is missing": (["--version", "1..2"], "invalid version '1..2'"),
    "a dot too many": (["--version", "1.2."], "invalid version '1.2.'"),
    "a port of nothing": (["--port", "8001"], "--port needs --serve"),
    "a port that there is not": (["--serve", "--port", "65536"], "invalid port '65536'"),
    "two folders": (["--versions", "a", "--output", "b"], "not both"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_wrong_arguments_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        site.load("build").main(arguments)

    assert refused.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("version", ["1", "1.2.0", "1.3.0-rc.1", "1.3.0+a.b", "1.3.0.dev1"])
def test_a_version_that_is_taken_can_be_listed(tmp_path: Path, version: str) -> None:
    build = site.load("build")

    assert build._arguments(["--version", version]).version == version
    assert build.list_version(tmp_path, version) == [version]


@pytest.mark.parametrize("option", ["--output", "--versions"])
def test_a_folder_with_other_files_is_not_replaced(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "1.2.0" if option == "--versions" else tmp_path
    kept = folder / "docs" / "mine.md"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine", encoding="utf-8")

    code = site.load("build").main([option, str(tmp_path), "--version", "1.2.0"])

    assert code == 1
    assert f"{folder} is not empty, and not a site" in capsys.readouterr().err
    assert kept.read_text(encoding="utf-8") == "mine"


def test_a_file_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")

    assert site.load("build").main(["--output", str(file)]) == 1

    assert f"{file} is not a folder" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_port_that_is_taken_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code = site.load("build").main(["--output", str(tmp_path), "--serve", "--port", port])

    assert code == 1
    assert f"cannot serve on port {port}: Address already in use" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# What fails


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the site is made of, to break it."""
    folder = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=site.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        kept = ("charts/", "controller/spacelift/", "crds/", "docs/", "examples/", "hack/site/")
        is_read = name.endswith((".md", "LICENSE", "pyproject.toml")) or name.startswith(kept)
        if is_read and (site.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(site.ROOT / name, folder / name)
    return folder


def _build_copy(copy: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [site.PYTHON, copy / "hack/site/build.py"], capture_output=True, text=True, check=False
    )


OF_OTHER_SITES = """
<script src="https://cdn.example.com/a.js"></script>

![A](https://img.example.com/a.png)

<a href="gone.html">a</a>
"""
FAULTS_OF_PAGES = {
    "no entry": ("faulty.md", "# A page\n", ["faulty.md is not in the navigation"]),
    "no page": ("limits.md", "[a](gone.md)", ["docs/limits.md links to gone.md, which is not"]),
    "no file": ("limits.md", "[a](../a.yaml)", ["docs/limits.md links to ../a.yaml, which is"]),
    "no heading": ("limits.md", "[a](spec.md#gone)", [r"limits.md:", "anchor does not exist"]),
    "other sites": (
        "limits.md",
        OF_OTHER_SITES,
        [
            "limits.html fetches https://cdn.example.com/a.js from another site",
            "limits.html fetches https://img.example.com/a.png from another site",
            "limits.html links to gone.html",
        ],
    ),
}


@needs_generator
@pytest.mark.parametrize(("page", "text", "said"), FAULTS_OF_PAGES.values(), ids=FAULTS_OF_PAGES)
def test_a_fault_stops_the_build(copy: Path, page: str, text: str, said: list[str]) -> None:
    path = copy / "docs" / page
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{text}\n", encoding="utf-8")
    try:
        done = _build_copy(copy)
    finally:
        path.unlink() if before is None else path.write_text(before, encoding="utf-8")

    assert done.returncode == 1
    assert [words for words in said if words not in done.stderr] == []
    assert not (copy / "build" / "site").exists()


@needs_generator
def test_an_entry_without_a_page_stops_the_build(copy: Path) -> None:
    path = copy / "docs" / "mutants.md"
    path.rename(copy / "away")
    development = copy / "docs" / "development.md"
    text = development.read_text(encoding="utf-8")
    development.write_text(text.replace("](mutants.md", "](limits.md"), encoding="utf-8")
    try:
        done = _build_copy(copy)
    finally:
        (copy / "away").rename(path)
        development.write_text(text, encoding="utf-8")

    assert done.returncode == 1
    assert "mutants.md" in done.stderr


# The check of what was built

FAULTS = {
    "script": ('<script src="//cdn.example.com/a.js"></script>', "//cdn.example.com/a.js from"),
    "style": ('<link rel="stylesheet" href="https://f.example.com/a.css">', "a.css from another"),
    "font": ('<link rel="preconnect" href="https://f.example.com">', "f.example.com from another"),
    "picture": ('<img src="https://i.example.com/a.png">', "a.png from another site"),
    "large picture": ('<img srcset="a.png 1x, https://i.example.com/b.png 2x">', "b.png from"),
    "in a style": ("<style>a { b: url(https://i.example.com/c) }</style>", "/c from another"),
    "import": ('<style>@import "https://i.example.com/d.css";</style>', "d.css from another"),
    "attribute": ("<p style=\"background: url('https://i.example.com/e')\">", "/e from another"),
    "frame": ('<iframe src="https://v.example.com/"></iframe>', "v.example.com/ from another"),
    "no file": ('<img src="gone.png">', "fetches gone.png, which is not there"),
    "no page": ('<a href="gone.html">', "links to gone.html, which is not there"),
    "no heading": ('<a href="#gone">', "page.html has no such heading"),
    "no heading elsewhere": ('<a href="other.html#gone">', "other.html has no such heading"),
}


@pytest.mark.parametrize(("html", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_page_is_found(tmp_path: Path, html: str, said: str) -> None:
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    (tmp_path / "other.html").write_text("", encoding="utf-8")
    (tmp_path / "a.png").write_bytes(b"")

    (problem,) = built_site.problems(tmp_path)

    assert said in problem


def test_links_to_other_sites_and_to_what_is_there_are_no_faults(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<link rel="canonical" href="https://a.example.com"><a href="https://a.example.com">'
        '<a href="in/other.html#there"><a href="#here"><p id="here"><img src="data:image/png,">',
        encoding="utf-8",
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "other.html").write_text('<p id="there"><a href="../page.html">', "utf-8")

    assert list(built_site.problems(tmp_path)) == []


def test_a_style_sheet_may_not_fetch_from_another_site(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("", encoding="utf-8")
    (tmp_path / "a.css").write_text("a { src: url(https://f.example.com/a.woff2) }", "utf-8")

    (problem,) = built_site.problems(tmp_path)

    assert problem == "a.css fetches https://f.example.com/a.woff2 from another site"


def test_a_folder_without_pages_is_no_site(tmp_path: Path) -> None:
    assert list(built_site.problems(tmp_path)) == [f"{tmp_path} has no pages"]


# How pages are made


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("docs/tasks/retry.md", "tasks/retry.md"),
        ("docs/README.md", "index.md"),
        ("README.md", "index.md"),
        ("docs/pictures/a.png", "pictures/a.png"),
        ("docs/gitops/health.lua", "files/docs/gitops/health.lua.md"),
        ("examples", "examples/index.md"),
        ("examples/plan.yaml", "examples/plan.yaml.md"),
        ("CHANGELOG.md", "changelog.md"),
        ("charts/stackchain/README.md", "chart.md"),
        ("tests/simulation/temporal/README.md", "files/tests/simulation/temporal/readme.md"),
        ("tests/simulation", "files/tests/simulation/index.md"),
    ],
)
def test_each_file_has_its_page(source: str, page: str) -> None:
    assert pages.page_of(source) == page


def test_links_lead_to_the_pages_of_files(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "docs" / "tasks").mkdir(parents=True)
    (root / "tools").mkdir()
    (root / "docs" / "a.md").write_text(
        "[b](tasks/b.md#part) [readme](../README.md#start) `[code](x.md)` [out](https://x.y)\n\n"
        "```\n[code](x.md)\n```\n",
        encoding="utf-8",
    )
    (root / "docs" / "tasks" / "b.md").write_text("[tool](../../tools/t.py)\n", encoding="utf-8")
    (root / "README.md").write_text("# Start\n", encoding="utf-8")
    (root / "tools" / "t.py").write_text("print('```')\n", encoding="utf-8")

    names = pages.write_pages(tmp_path / "made", root)

    assert names == ["a.md", "files/tools/t.py.md", "tasks/b.md"]
    assert (tmp_path / "made/a.md").read_text(encoding="utf-8") == (
        "[b](tasks/b.md#part) [readme](index.md) `[code](x.md)` [out](https://x.y)\n\n"
        "```\n[code](x.md)\n```\n"
    )
    assert (tmp_path / "made/tasks/b.md").read_text() == "[tool](../files/tools/t.py.md)\n"
    made = (tmp_path / "made/files/tools/t.py.md").read_text(encoding="utf-8")
    assert made.endswith("# tools/t.py\n\n````python\nprint('```')\n````\n")


LISTS = {
    "nothing to do": ("- a\n- b\n\nText\n", "- a\n- b\n\nText\n"),
    "a second line": ("1. a\n   b\n", "1. a\n    b\n"),
    "a block of code": (
        "1. a\n   ```\n   x\n     y\n   ```\n   b\n",
        "1. a\n\n    ```\n    x\n      y\n    ```\n\n    b\n",
    ),
    "a bullet's text": ("- a\n\n  b\n", "- a\n\n    b\n"),
    "a list in a list": ("- a\n  - b\n    c\n", "- a\n    - b\n        c\n"),
    "after the list": ("- a\n\n```\n  x\n```\n", "- a\n\n```\n  x\n```\n"),
    "no list": ("```\n- a\n  b\n```\n", "```\n- a\n  b\n```\n"),
}


@pytest.mark.parametrize(("written", "made"), LISTS.values(), ids=LISTS)
def test_lists_are_made_for_python_markdown(written: str, made: str) -> None:
    assert pages.for_python_markdown(written) == made


# The API reference


def _sections() -> dict[str, set[str]]:
    """Return the fields of each table of the API reference by its heading."""
    text = (site.ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    parts = re.split(r"^### `([^`]+)`$", text, flags=re.M)
    return {
        name: set(re.findall(r"^\| `(\w+)` \|", part, re.M))
        for name, part in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_the_api_reference_has_every_field_of_spec_and_status() -> None:
    sections = {
        f"{heading.replace('[]', '')}.{name}"
        for heading, names in _sections().items()
        for name in names
    }

    assert sections == set(definition.spec_fields()) | set(definition.status_fields())
    assert len(sections) > 200


def test_the_api_reference_has_what_each_field_says_of_itself() -> None:
    text = (site.ROOT / "docs" / "api.md").read_text(encoding="utf-8").replace("\\", "")

    for path, field in (definition.spec_fields() | definition.status_fields()).items():
        assert " ".join(field.get("description", "").split()) in text, path
