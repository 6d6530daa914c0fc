"""What to check where an account cannot be reached, by how it fails and what is in between."""

import ssl
import urllib.request

import httpx

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE")


def advice(error: Exception, url: httpx.URL) -> str:
    """Return what to check, to be put behind the failure.

    Args:
        error: what the request failed with before anything was sent.
        url: where it was sent to.
    """
    proxy = proxy_of(url)
    if _is_caused_by(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
        between = f", and whether the proxy {proxy} replaces certificates" if proxy else ""
        return (
            "its certificate is not trusted: set SPACELIFT_API_TLS_CA to the authority that signed "
            f"it, or check the endpoint{between}"
        )
    if any(sign in str(error).upper() for sign in _NO_TLS):
        return (
            "there is no TLS on that port: check the port of the endpoint, and whether it should "
            "start with http://"
        )
    if proxy:
        how = "refuses" if isinstance(error, httpx.ProxyError) else "is in between"
        return f"the proxy {proxy} {how}: check it, HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
    return "check the endpoint, DNS and network"


def unread_hint(cause: BaseException | None, url: httpx.URL) -> str:
    """Return what may be wrong if something answers, but not with HTTP; "" if it does."""
    if url.scheme != "http" or not isinstance(cause, httpx.RemoteProtocolError):
        return ""
    return ", which may speak TLS: then the endpoint has to start with https://"


def proxy_of(url: httpx.URL) -> str:
    """Return the host and port of the proxy that the environment names for a URL; "": none."""
    known = urllib.request.getproxies()
    proxy = known.get(url.scheme) or known.get("all") or ""
    if not proxy or urllib.request.proxy_bypass(url.host):
        return ""
    try:
        found = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
    except httpx.InvalidURL:
        return "of the environment"
    # Never with the user and password that it may have.
    return found.netloc.decode("ascii", "replace").rpartition("@")[2]


def _is_caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
