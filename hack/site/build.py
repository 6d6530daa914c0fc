"""Builds the documentation site from docs/ into build/site, without the network (ADR 0063).

It makes the pages (`pages.py`), has them built strictly, and then checks what was built
(`built_site.py`). A link that leads nowhere, a page that is not in the navigation, and anything
that a browser would fetch from another site are errors.
"""

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import built_site
import pages
import yaml

HERE = Path(__file__).parent

_SLUGS = "pymdownx.slugs.slugify"
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_WARNING = re.compile(r"Warning: (?P<what>.+)\n\s*╭─\[ (?P<place>\S+) \]")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*(([-+]|\.(?=[A-Za-z]))[0-9A-Za-z.+-]+)?")
_PORTS = range(2**16)
_DEFAULT_PORT = 8000
# In each site that was built: only a folder that has it is replaced.
_MARK = "built-by-make-docs.txt"
_MARK_TEXT = "make docs made this folder, and replaces all that is in it.\n"


class Failed(Exception):
    """The site could not be built, or is not what it should be."""


def build(site: Path, version: str, *, is_one_of_several: bool, root: Path = pages.ROOT) -> int:
    """Build the site of a version into a folder, and return its number of pages.

    What the folder held is deleted, if it is an earlier site.

    Raises:
        Failed: what is wrong, a line for each. The folder is as it was.
    """
    _refuse_what_is_not_a_site(site, root)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        names = pages.write_pages(work / "pages", root)
        shutil.copytree(HERE / "theme", work / "pages" / "theme")
        config = _config(names, version, is_one_of_several=is_one_of_several)
        listed = _listed(config["nav"])
        if problems := [
            *(f"{name} is not in the navigation" for name in names if name not in listed),
            *(f"{name} is in the navigation, and no page" for name in listed if name not in names),
        ]:
            raise Failed("\n".join(problems))
        text = yaml.safe_dump(config, sort_keys=False)
        (work / "mkdocs.yml").write_text(text, encoding="utf-8")
        _run_generator(work)
        if problems := list(built_site.problems(work / "built")):
            raise Failed("\n".join(problems))
        (work / "built" / _MARK).write_text(_MARK_TEXT, encoding="utf-8")
        if site.exists():
            shutil.rmtree(site)
        shutil.copytree(work / "built", site)
    return len(names)


def _refuse_what_is_not_a_site(folder: Path, root: Path) -> None:
    """Refuse to replace what this program did not make."""
    if not folder.exists() or folder == _default_folder(root):
        return
    if not folder.is_dir():
        raise Failed(f"{folder} is not a folder")
    if any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise Failed(
            f"{folder} is not empty, and not a site that was built before (it has no {_MARK}): "
            "all that it holds would be deleted. Give another folder, or empty it first."
        )


def _default_folder(root: Path = pages.ROOT) -> Path:
    return (root / "build" / "site").resolve()


def _run_generator(work: Path) -> None:
    program = Path(sys.executable).with_name("zensical")
    done = subprocess.run(  # noqa: S603
        [program, "build", "--strict", "--config-file", "mkdocs.yml"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    said = _COLOR.sub("", done.stdout + done.stderr)
    warnings = [f"{match['place']}: {match['what']}" for match in _WARNING.finditer(said)]
    if done.returncode or "Warning" in said:
        raise Failed("\n".join(warnings) or said)


def _config(names: list[str], version: str, *, is_one_of_several: bool) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((HERE / "mkdocs.yml").read_text(encoding="utf-8"))
    config["docs_dir"] = "pages"
    config["site_dir"] = "built"
    config["copyright"] = f"StackChain {version}"
    if is_one_of_several:
        # The name of what the theme's selector reads: versions.json, a folder above the version.
        config["extra"]["version"] = {"provider": "mike"}
    else:
        config["site_name"] += f" {version}"
    config["markdown_extensions"].append(
        # Headings get the names that they have on GitHub.
        {"toc": {"permalink": True, "slugify": {"object": _SLUGS, "kwds": {"case": "lower"}}}}
    )
    config["nav"] = [_expanded(part, names) for part in config["nav"]]
    return config


def _expanded(part: Any, names: list[str]) -> Any:
    """Return a part of the navigation with the pages behind each `*`."""
    if isinstance(part, list):
        return [_expanded(inner, names) for inner in part]
    if isinstance(part, dict):
        return {title: _expanded(inner, names) for title, inner in part.items()}
    if not part.endswith("/*"):
        return part
    found = [name for name in names if name.startswith(part.removesuffix("*"))]
    return sorted(found, key=lambda name: (not name.endswith("index.md"), name))


def _listed(nav: Any) -> list[str]:
    """Return the pages of a part of the navigation."""
    if isinstance(nav, str):
        return [nav]
    return [
        name for part in (nav.values() if isinstance(nav, dict) else nav) for name in _listed(part)
    ]


def project_version(root: Path = pages.ROOT) -> str:
    """Return the version of the project."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    found: str = tomllib.loads(text)["project"]["version"]
    return found


def list_version(folder: Path, version: str) -> list[str]:
    """Add a version to those of the folder, and lead to the newest; return them, newest first."""
    path = folder / "versions.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    found = {entry["version"] for entry in known if (folder / entry["version"]).is_dir()}
    versions = sorted(found | {version}, key=_order, reverse=True)
    entries = [
        {"version": name, "title": name, "aliases": ["latest"] if name == versions[0] else []}
        for name in versions
    ]
    path.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(
        '<!doctype html>\n<meta charset="utf-8">\n<title>StackChain</title>\n'
        f'<meta http-equiv="refresh" content="0; url={versions[0]}/index.html">\n'
        f'<a href="{versions[0]}/index.html">StackChain {versions[0]}</a>\n',
        encoding="utf-8",
    )
    return versions


def _order(version: str) -> tuple[list[int], bool, str]:
    """Order versions as numbers, and one in the making before what it becomes."""
    numbers = re.match(r"[0-9.]+", version)
    assert numbers is not None  # noqa: S101
    release = numbers[0].strip(".")
    rest = version.removeprefix(release)
    return [int(number) for number in release.split(".")], not rest, rest


def _server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Take a port to serve the folder on.

    Raises:
        Failed: it cannot be had.
    """
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise Failed(
            f"cannot serve on port {port}: {error.strerror}; choose another one with --port"
        ) from error


def _serve(server: ThreadingHTTPServer) -> None:
    print(f"Serving http://127.0.0.1:{server.server_port}/ until Ctrl-C", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"invalid port {text!r}; use a number up to {_PORTS[-1]}")
    return int(text)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make docs", description="Build the documentation site.")
    parser.add_argument("--serve", action="store_true", help="serve it on 127.0.0.1 until Ctrl-C")
    parser.add_argument("--port", type=_port, help=f"the port to serve it on ({_DEFAULT_PORT})")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="instead of build/site: a new or empty folder, or one of an earlier build",
    )
    parser.add_argument(
        "--versions",
        type=Path,
        metavar="FOLDER",
        help="add it to the versions in FOLDER, as FOLDER/VERSION, with a selector on each page",
    )
    parser.add_argument("--version", help="the version to show, if not that of pyproject.toml")
    found = parser.parse_args(arguments)
    if found.version is not None and not _VERSION.fullmatch(found.version):
        parser.error(f"invalid version {found.version!r}; use a form such as 1.2.0 or 1.3.0-rc.1")
    if found.versions and found.output:
        parser.error("give --versions or --output, not both")
    if found.port is not None and not found.serve:
        parser.error("--port needs --serve")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Build, and serve if asked; returns the exit code."""
    asked = _arguments(arguments)
    version = asked.version or project_version()
    folder = (asked.versions or asked.output or _default_folder()).resolve()
    site = folder / version if asked.versions else folder
    with contextlib.ExitStack() as stack:
        try:
            server = None
            if asked.serve:
                # A port that is taken is known before the site is built.
                port = _DEFAULT_PORT if asked.port is None else asked.port
                server = stack.enter_context(_server(folder, port))
            count = build(site, version, is_one_of_several=asked.versions is not None)
        except (Failed, pages.LinkLeadsNowhere) as failure:
            sys.stderr.write(f"{failure}\nThe site was not built.\n")
            return 1
        if asked.versions:
            print(f"{folder} has {', '.join(list_version(folder, version))}")
        print(f"Built {count} pages of {version}: {site / 'index.html'}", flush=True)
        if server is not None:
            _serve(server)
    return 0


if __name__ == "__main__":
    sys.exit(main())
