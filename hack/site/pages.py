"""Makes the pages of the site from docs/ and from the files that these pages link to.

The pages are written for GitHub, where a link may leave docs/ and a list needs no blank line. The
site has only its own pages, so a file that is linked becomes a page as well, and the text is
brought into the form that Python-Markdown reads. What is made needs neither the repository nor the
network.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]

# These are pages whether or not something links to them, under names that say what they are.
PLACES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "license.md",
    "SECURITY.md": "reporting.md",
    "charts/stackchain/README.md": "chart.md",
    "charts/stackchain/values.yaml": "chart-values.md",
    "crds/stackchains.stackchain.dev.yaml": "definition.md",
    "examples": "examples/index.md",
}
# The index of docs/ on GitHub; the site has its navigation, and a page to start with.
INDEX = {"docs/README.md": "index.md", "docs": "index.md", "README.md": "index.md"}

_LANGUAGES = {
    "": "text",
    ".go": "go",
    ".js": "javascript",
    ".json": "json",
    ".lua": "lua",
    ".mod": "text",
    ".py": "python",
    ".rego": "rego",
    ".sh": "sh",
    ".toml": "toml",
    ".ts": "typescript",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_PICTURES = {".png", ".svg"}
_FENCE = re.compile(r" *(`{3,}|~{3,})")
_LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s]+)(?P<after>\))")
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_ITEM = re.compile(r"(?:[-*+]|\d+\.) +(?=\S)")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")


class LinkLeadsNowhere(Exception):
    """A page links to what the repository does not have."""


def write_pages(target: Path, root: Path = ROOT) -> list[str]:
    """Write the pages into an empty folder, and return their names in order.

    Raises:
        LinkLeadsNowhere: a page links to a file that is not there.
    """
    waiting = [*_documents(root), *(name for name in PLACES if (root / name).exists())]
    written: dict[str, str] = {}
    while waiting:
        source = waiting.pop(0)
        place = page_of(source, root)
        if written.setdefault(place, source) != source or (target / place).exists():
            continue
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if PurePosixPath(source).suffix in _PICTURES:
            path.write_bytes((root / source).read_bytes())
            continue
        text, linked = _page(source, place, root)
        path.write_text(text, encoding="utf-8")
        waiting += linked
    return sorted(place for place in written if place.endswith(".md"))


def page_of(source: str, root: Path = ROOT) -> str:
    """Return the page, or the picture, that a file or folder of the repository becomes."""
    if known := INDEX.get(source) or PLACES.get(source):
        return known
    path = PurePosixPath(source)
    if path.parts[0] == "docs" and path.suffix in {".md", *_PICTURES}:
        return str(path.relative_to("docs"))
    if path.suffix in _PICTURES:
        return f"files/{source}"
    if (root / source).is_dir():
        return f"files/{source}/index.md"
    at = source if path.parts[0] == "examples" else f"files/{source}"
    # A README is what a folder shows, but the folder may be a page as well.
    return at.replace("README.md", "readme.md") if path.suffix == ".md" else f"{at}.md"


def _documents(root: Path) -> list[str]:
    """Return the pages and pictures of docs/ without its index for GitHub."""
    found = (path for path in sorted((root / "docs").rglob("*")) if path.is_file())
    names = (path.relative_to(root).as_posix() for path in found)
    return [
        name
        for name in names
        if name not in INDEX and PurePosixPath(name).suffix in {".md", *_PICTURES}
    ]


def _page(source: str, place: str, root: Path) -> tuple[str, list[str]]:
    """Return the page of a file, and the files that it links to."""
    path = root / source
    if path.is_dir():
        return _folder_page(source, place, root)
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".md":
        return _code_page(source, text), []
    linked: list[str] = []

    def relink(target: str) -> str:
        if target.startswith(("#", "/")) or _SCHEME.match(target):
            return target
        file, mark, anchor = target.partition("#")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
        if name.startswith("..") or not (root / name).exists():
            raise LinkLeadsNowhere(f"{source} links to {target}, which is not there")
        linked.append(name)
        there = page_of(name, root)
        # The first page has other headings than the README that it stands for.
        mark, anchor = ("", "") if name in INDEX else (mark, anchor)
        return posixpath.relpath(there, posixpath.dirname(place) or ".") + mark + anchor

    text = for_python_markdown(_outside_code(text, lambda line: _relinked(line, relink)))
    return _front_matter(place) + text, [name for name in linked if name not in INDEX]


def _front_matter(place: str) -> str:
    """Let what people read come before what developers decided, where both have the words.

    The first page needs no list of pages at its side, since it leads to them itself.
    """
    if place == "index.md":
        return "---\nhide:\n  - navigation\n---\n\n"
    boost = 0.2 if place.startswith("adr/") else 0.5 if place in _LOW else 0
    return f"---\nsearch:\n  boost: {boost}\n---\n\n" if boost else ""


# Pages that have every word of the project, and seldom the answer.
_LOW = {"changelog.md", "benchmarks.md", "simulator.md", "mutants.md", "development.md"}


def _relinked(line: str, relink: Callable[[str], str]) -> str:
    """Return a line with other targets of its links, except for those in code."""
    code: list[str] = []

    def keep(match: re.Match[str]) -> str:
        code.append(match[0])
        return f"\0{len(code) - 1}\0"

    line = _CODE.sub(keep, line)
    line = _LINK.sub(lambda link: link["before"] + relink(link["target"]) + link["after"], line)
    return re.sub("\0([0-9]+)\0", lambda match: code[int(match[1])], line)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply a change to each line that is not in a block of code."""
    lines = text.split("\n")
    fence = ""
    for number, line in enumerate(lines):
        found = _FENCE.match(line)
        if found and (not fence or line.strip() == fence):
            fence = "" if fence else found[1]
        elif not fence:
            lines[number] = change(line)
    return "\n".join(lines)


def for_python_markdown(text: str) -> str:
    """Return a page that is written as on GitHub in the form that Python-Markdown takes.

    It wants four spaces before what belongs to an item of a list, whatever its bullet takes, and
    blank lines around a block of code in it.
    """
    lines: list[str] = []
    fence, width = "", 0
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        item = _ITEM.match(line)
        found = _FENCE.match(line)
        if not fence and line.strip() and indent < width and not item:
            width = 0
        if not fence and item:
            width = item.end()
        elif width and line.strip():
            line = " " * 4 * (indent // width) + line[indent - indent % width :]
        opens, closes = bool(found and not fence), bool(fence and line.strip() == fence)
        if opens and width and lines and lines[-1].strip():
            lines.append("")
        lines.append(line)
        if closes and width:
            lines.append("")
        if found and (opens or closes):
            fence = found[1] if opens else ""
    return "\n".join(lines)


def _code_page(source: str, text: str) -> str:
    """Return a page that shows a file."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    language = _LANGUAGES.get(PurePosixPath(source).suffix, "text")
    head = "---\nsearch:\n  boost: 0.2\n---\n\n"
    return f"{head}# {source}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _folder_page(source: str, place: str, root: Path) -> tuple[str, list[str]]:
    """Return a page that lists the files of a folder, and these files."""
    found = (path for path in sorted((root / source).rglob("*")) if path.is_file())
    names = [path.relative_to(root).as_posix() for path in found]
    here = posixpath.dirname(place) or "."
    rows = [
        f"- [{PurePosixPath(name).relative_to(source)}]"
        f"({posixpath.relpath(page_of(name, root), here)}){_purpose(root / name)}"
        for name in names
    ]
    title = source.rpartition("/")[2].capitalize()
    return f"# {title}\n\n" + "\n".join(rows) + "\n", names


def _purpose(path: Path) -> str:
    """Return the first sentence of the comment at the top of a file."""
    comment = ""
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.startswith("# "):
            break
        comment += line.removeprefix("#")
    return f":{re.split(r'(?<=[.?])(?= )', comment)[0]}" if comment else ""
