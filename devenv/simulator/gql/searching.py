"""Cursor search: `SearchInput` in, a page of edges out.

All members of the input may be null, unknown predicate fields are refused, and a page is never
longer than 50 whatever `first` says (API facts, 1.9).
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from devenv.simulator.model.errors import Refusal

PAGE_LIMIT = 50

Value = str | bool | int | float | None | list[str]
Reader = Callable[[Any], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What a kind of record can be searched by; `key` is unique and gives the default order."""

    key: Callable[[Any], str]
    text: Callable[[Any], Sequence[str]]
    predicates: dict[str, tuple[str, Reader]]
    orders: dict[str, Callable[[Any], Any]]
    is_newest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInfo:
    """GraphQL's `PageInfo`."""

    end_cursor: str | None
    has_next_page: bool
    has_previous_page: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeView:
    """One search hit."""

    node: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of hits."""

    edges: list[EdgeView]
    page_info: PageInfo


def search(records: list[Any], request: dict[str, Any], index: Index) -> Page:
    """Filter, order and cut a list of records."""
    for predicate in request.get("predicates") or ():
        records = [record for record in records if _fits(record, predicate, index)]
    text = request.get("fullTextSearch")
    if text:
        records = [r for r in records if any(text.lower() in t.lower() for t in index.text(r))]
    return _cut(_ordered(records, request.get("orderBy"), index), request, index)


def _fits(record: Any, predicate: dict[str, Any], index: Index) -> bool:
    name = predicate["field"]
    if name not in index.predicates:
        raise Refusal(f"unknown predicate field {name}")
    kind, reader = index.predicates[name]
    wanted = predicate["constraint"].get(kind)
    if wanted is None:
        raise Refusal(f"predicate field {name} takes {kind}")
    value = reader(record)
    values = value if isinstance(value, list) else [value]
    return any(one in wanted for one in values) is not bool(predicate.get("exclude"))


def _ordered(records: list[Any], order: dict[str, Any] | None, index: Index) -> list[Any]:
    records = sorted(records, key=index.key, reverse=index.is_newest_first)
    if not order:
        return records
    name, direction = order["field"], order["direction"]
    if name not in index.orders:
        raise Refusal(f"unknown order field {name}")
    if direction not in ("ASC", "DESC"):
        raise Refusal(f"unknown order direction {direction}")
    return sorted(records, key=index.orders[name], reverse=direction == "DESC")


def _cut(records: list[Any], request: dict[str, Any], index: Index) -> Page:
    first = request.get("first")
    if first is not None and first < 0:
        raise Refusal("first must not be negative")
    size = min(first or PAGE_LIMIT, PAGE_LIMIT)
    start = _start(records, request.get("after"), index)
    page = records[start : start + size]
    return Page(
        edges=[EdgeView(node=record) for record in page],
        page_info=PageInfo(
            end_cursor=_encode(index.key(page[-1])) if page else None,
            has_next_page=start + size < len(records),
            has_previous_page=start > 0,
        ),
    )


def _start(records: list[Any], after: str | None, index: Index) -> int:
    """Return where the page starts; a deleted record still marks its place in the order."""
    if not after:
        return 0
    key = _decode(after)
    keys = [index.key(record) for record in records]
    if key in keys:
        return keys.index(key) + 1
    behind = (place for place, k in enumerate(keys) if (k < key) is index.is_newest_first)
    return next(behind, len(keys))


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise Refusal("invalid cursor") from error
