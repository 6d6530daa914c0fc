"""Which requests the page in the cluster recognizes as requests of its site."""

import pytest
from aiohttp import test_utils, web

from controller.ui import site_guard


async def status_of(url: str, host: str, origin: str) -> int:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=200)

    headers = {"Host": host, "Origin": origin}
    request = test_utils.make_mocked_request("POST", "/api/ask", headers=headers)
    return (await site_guard.SiteGuard(url).middleware(request, handler)).status


@pytest.mark.parametrize(
    ("url", "host", "is_own"),
    [
        ("https://chains.example.com", "chains.example.com", True),
        ("https://Chains.Example.com/", "chains.example.com", True),
        ("https://chains.example.com:443", "chains.example.com", True),
        ("https://chains.example.com:80", "chains.example.com", False),
        ("https://chains.example.com:8443", "chains.example.com:8443", True),
        ("https://chains.example.com:8443", "chains.example.com", False),
        ("https://[fd00::443]", "[fd00::443]", True),
        ("https://[fd00::1]:443", "[fd00::1]", True),
        ("https://chains.example.com", "evil.example.com", False),
    ],
)
async def test_the_address_is_compared_as_browsers_write_it(
    url: str, host: str, is_own: bool
) -> None:
    assert await status_of(url, host, f"https://{host}") == (200 if is_own else 403)


@pytest.mark.parametrize("origin", ["http://chains.example.com", "null", "https://example.com"])
async def test_another_site_is_refused(origin: str) -> None:
    assert await status_of("https://chains.example.com", "chains.example.com", origin) == 403
