"""Commands of the docs, carried out from the top of each page to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support import chains, doc_blocks, doc_readers

WHY_NOT = doc_readers.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

PAGES = {page.name: page for page in doc_blocks.pages() if page.is_run}
# Pages mostly wait, and share two cores.
SIDE_BY_SIDE = 5

Read = Callable[[str], Awaitable[list[doc_readers.Difference]]]


@pytest.fixture(scope="module")
async def read(
    request: pytest.FixtureRequest,
    parts: chains.Parts,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Read]:
    """Gives the problems of a page; all requested pages are read side by side."""
    slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def read_one(page: doc_blocks.Page) -> list[doc_readers.Difference]:
        async with slots, doc_readers.reading(parts, tmp_path_factory.mktemp("page")) as reader:
            return await reader.read(page)

    asked = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    ]
    # The longest first, so that none is left alone at the end.
    asked.sort(key=lambda name: -sum(len(block.lines) for block in PAGES[name].blocks))
    tasks = {name: asyncio.create_task(read_one(PAGES[name])) for name in asked}

    async def result(name: str) -> list[doc_readers.Difference]:
        return await tasks[name]

    yield result
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PAGES)
async def test_the_page_says_what_happens(name: str, read: Read) -> None:
    differences = await read(name)

    assert not differences, f"{name}\n" + "\n".join(map(str, differences))
