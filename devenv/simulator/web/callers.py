"""Who may use the admin API: programs of this machine, and pages that it serves itself.

Any web page can make a browser send requests to loopback: from another origin, or under its own
name that it lets resolve to 127.0.0.1.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from urllib import parse as urlparse

from aiohttp import typedefs, web

_ADMIN = "/admin"
_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - compared, not listened on


def middleware(host: str) -> typedefs.Middleware:
    """Return what refuses requests that a browser sends for another page.

    Args:
        host: where the simulator listens; it may be called so, and by any name of loopback.
    """

    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path.startswith(_ADMIN):
            origin = request.headers.get("Origin")
            is_foreign = origin is not None and urlparse.urlsplit(origin).netloc != request.host
            if is_foreign or not _is_own(request.host, host):
                raise web.HTTPForbidden(text="the admin API is for programs of this machine\n")
        return await handler(request)

    return check


def _is_own(netloc: str, host: str) -> bool:
    name = urlparse.urlsplit(f"//{netloc}").hostname or ""
    if name in ("localhost", host) or host in _ALL_ADDRESSES:
        # A simulator that listens for others is called by names that are unknown here.
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
