"""Who may use the page on loopback: whoever has opened the address that the command printed.

Any site that the user has open, and any other user of the machine, can send requests to a port on
loopback. So a request must carry a cookie that only the printed address gives, once. It must name
this very host, against names that point to loopback. And it must not come from another site.

A browser sends the cookies of a host to each of its ports, thus to anyone else who serves a page on
127.0.0.1 and gets the user to open it. So what shows or changes chains needs a key as well, which
the browser keeps for this port alone and never sends automatically.
"""

import hmac
import html
import secrets
from urllib import parse as urlparse

from aiohttp import web

from controller.ui import site_guard

_ENDED = (
    "This address has been used, or belongs to a command that has ended.\n"
    "Run `kubectl stackchain ui` again and open the address that it prints.\n"
)
_NAMES = ("127.0.0.1", "localhost")
KEY_HEADER = "X-StackChain-Key"


class SessionGuard:
    """Lets requests with the session's cookie pass; the token of the address gives it once."""

    def __init__(self) -> None:
        """Draw token and session."""
        self._token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._key = secrets.token_urlsafe(32)
        self.port = 0
        """The port of the page, once it is known."""

    def address(self, query: str = "") -> str:
        """Return the address to open."""
        more = f"&{query}" if query else ""
        return f"http://127.0.0.1:{self.port}/?token={self._token}{more}"

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: site_guard.Handler
    ) -> web.StreamResponse:
        """Refuse, let in, or pass on."""
        refused = self._refusal(request) or self._entrance(request)
        answer = refused if refused is not None else await handler(request)
        if not answer.prepared:
            answer.headers.update(site_guard.HEADERS)
        return answer

    def _refusal(self, request: web.Request) -> web.Response | None:
        return site_guard.refusal(request, hosts={f"{name}:{self.port}" for name in _NAMES})

    def _entrance(self, request: web.Request) -> web.Response | None:
        """Return None if the request may pass."""
        offered = request.query.get("token") if request.path == "/" else None
        is_in = _same(request.cookies.get(self._cookie), self._session)
        if offered is None and is_in:
            return None if self._has_key(request) else _ended(request)
        is_new = request.method == "GET" and _same(offered, self._token)
        if not is_new and not is_in:
            return _ended(request)
        # Only at first: someone who has got hold of the cookie does not get the key.
        key = self._key if is_new else ""
        response = web.Response(
            text=_moved(request, key),
            content_type="text/html",
            headers={"Cache-Control": "no-store"},
        )
        if is_new:
            self._token = None
            response.set_cookie(
                self._cookie, self._session, httponly=True, samesite="Strict", path="/"
            )
        return response

    def _has_key(self, request: web.Request) -> bool:
        """Return whether the browser sends the key, if one is needed."""
        if not request.path.startswith("/api/"):
            return True  # What the package has, for everyone.
        # A stream of events is the one request that takes no header.
        offered = request.headers.get(KEY_HEADER) or request.query.get("key")
        return _same(offered, self._key)

    @property
    def _cookie(self) -> str:
        # Browsers do not keep ports apart: two pages at once would take each other's.
        return f"stackchain-{self.port}"


def _ended(request: web.Request) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if request.path.startswith("/api/"):
        return web.json_response({"error": _ENDED}, status=401, headers=headers)
    return web.Response(status=401, text=_ENDED, headers=headers)


def _moved(request: web.Request, key: str) -> str:
    """Return a page that leads to the address without its token, and with the key.

    A fragment is sent nowhere: the page's script keeps it.

    Not a redirect: after one that began at another site, a chat for example, the browser would not
    send the strict cookie.
    """
    query = [(name, value) for name, value in request.query.items() if name != "token"]
    target = html.escape(f"/?{urlparse.urlencode(query)}" if query else "/")
    target += f"#key={key}" if key else ""
    return (
        "<!doctype html><html lang=en><title>StackChain</title>"
        # Otherwise a browser may ask for a file that is not there.
        '<link rel="icon" href="/icon.svg" type="image/svg+xml">'
        f'<meta http-equiv="refresh" content="0; url={target}"></html>\n'
    )


def _same(offered: str | None, wanted: str | None) -> bool:
    if offered is None or wanted is None:
        return False
    return hmac.compare_digest(offered.encode(errors="replace"), wanted.encode())
