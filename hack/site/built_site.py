"""Checks a site that was built: where its links lead, and what a browser would fetch for it."""

import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements that make a browser fetch what they name, without a click.
_FETCHED = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "image": "href",
    "img": "src",
    "input": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "use": "href",
    "video": "src",
}
# Relations of a `link` that only say where something is.
_SAID = {"canonical", "next", "prev", "alternate", "license", "edit"}
_IN_STYLES = re.compile(r"url\(\s*['\"]?(?P<url>[^)'\"]+)|@import\s+['\"](?P<import>[^'\"]+)")


class Page(HTMLParser):
    """What a page names: places in it, links, and what a browser fetches for it."""

    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the names and addresses of an element."""
        has = {name: value or "" for name, value in attrs}
        self.places |= {has[name] for name in ("id", "name") if has.get(name)}
        self._is_style = tag == "style"
        if "style" in has:
            self.fetched += _of_styles(has["style"])
        if "srcset" in has:
            self.fetched += [size.split()[0] for size in has["srcset"].split(",") if size.strip()]
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        address = has.get(_FETCHED.get(tag, ""))
        if address and not (tag == "link" and set(has.get("rel", "").split()) <= _SAID):
            self.fetched.append(address)

    def handle_data(self, data: str) -> None:
        """Note what a style sheet in the page fetches."""
        if self._is_style:
            self.fetched += _of_styles(data)

    def handle_endtag(self, tag: str) -> None:
        """Note that a style sheet is over."""
        self._is_style = self._is_style and tag != "style"


def _of_styles(text: str) -> list[str]:
    return [match["url"] or match["import"] for match in _IN_STYLES.finditer(text)]


def read_pages(site: Path) -> dict[str, Page]:
    """Return the pages of a site by their names."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        pages[path.relative_to(site).as_posix()] = page
    return pages


def problems(site: Path) -> Iterator[str]:
    """Yield what is wrong with a site, a line each."""
    pages = read_pages(site)
    if not pages:
        yield f"{site} has no pages"
    for name, page in pages.items():
        for address in page.links:
            yield from _of_link(site, pages, name, address)
        for address in page.fetched:
            yield from _of_fetched(site, name, address)
    for path in sorted(site.rglob("*.css")):
        name = path.relative_to(site).as_posix()
        for address in _of_styles(path.read_text(encoding="utf-8")):
            yield from _of_fetched(site, name, address)


def _of_link(site: Path, pages: dict[str, Page], name: str, address: str) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return
    there = _target(name, parts.path)
    if not (site / there).is_file():
        yield f"{name} links to {address}, which is not there"
    elif parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].places:
        yield f"{name} links to {address}, but {there} has no such heading"


def _of_fetched(site: Path, name: str, address: str) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme == "data":
        return
    if parts.scheme or parts.netloc:
        yield f"{name} fetches {address} from another site"
    elif parts.path and not (site / _target(name, parts.path)).is_file():
        yield f"{name} fetches {address}, which is not there"


def _target(name: str, path: str) -> str:
    """Return the file of the site that a path on a page leads to."""
    if not path:
        return name
    # The 404 page may be shown under any path, so its own paths start at the root.
    if path.startswith("/"):
        return unquote(path).lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path)))
