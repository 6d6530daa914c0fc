"""Which requests the page takes, wherever it is served: for this host, from this site."""

from collections.abc import Awaitable, Callable, Collection
from urllib import parse as urlparse

from aiohttp import web

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PORTS = {"http": ":80", "https": ":443"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refusal(
    request: web.Request, *, hosts: Collection[str], scheme: str = "http"
) -> web.Response | None:
    """Return why a request is refused: another name, against rebinding, or another site."""
    if request.headers.get("Host") not in hosts:
        return web.Response(status=403, text="This host is not served here.\n")
    origin = request.headers.get("Origin")
    if origin is not None and origin not in {f"{scheme}://{host}" for host in hosts}:
        return _foreign()
    if request.method not in ("GET", "HEAD") and origin is None:
        # Browsers name it in whatever may change something.
        return _foreign()
    is_followed = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    is_foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if is_foreign and not (is_followed and request.method == "GET"):
        return _foreign()
    return None


def _foreign() -> web.Response:
    return web.Response(status=403, text="Requests of other sites are refused.\n")


class SiteGuard:
    """Lets requests pass that a browser sends to the page's own address."""

    def __init__(self, url: str) -> None:
        """Know the address as browsers see it."""
        parts = urlparse.urlsplit(url)
        host = parts.netloc.rpartition("@")[2].lower()
        # Browsers leave out what the scheme says already.
        self._scheme, self._host = parts.scheme, host.removesuffix(_PORTS.get(parts.scheme, ":"))

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or pass on."""
        refused = refusal(request, hosts={self._host}, scheme=self._scheme)
        answer = refused if refused is not None else await handler(request)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer
