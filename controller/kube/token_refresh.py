"""A new ID token for a refresh token, from an OpenID Connect issuer.

Nothing is written back: the kubeconfig is the user's.
"""

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import IO, Any
from urllib import error as urlerror
from urllib import parse as urlparse
from urllib import request as urlrequest

from controller import outside_text
from controller.config import shell_settings
from controller.kube import errors, proxies

_SECONDS = 10.0
_MOST_BYTES = 2**20
_LOG_IN = "Log in again"


def refresh(config: Mapping[str, Any]) -> str:
    """Return a new ID token.

    Args:
        config: of the auth-provider `oidc` of a kubeconfig.

    Raises:
        errors.Denied: there is no refresh token, or the issuer refuses it.
    """
    missing = [name for name in ("idp-issuer-url", "client-id") if not config.get(name)]
    if not config.get("refresh-token") or missing:
        raise errors.Denied(f"The ID token has expired, and there is no refresh token. {_LOG_IN}")
    issuer = str(config["idp-issuer-url"]).rstrip("/")
    named = proxies.shown(_https(issuer, "idp-issuer-url of the kubeconfig"))
    try:
        found = _fetch(config, f"{issuer}/.well-known/openid-configuration")
        token = _fetch(config, _grant(config, found["token_endpoint"]))["id_token"]
    except (OSError, http.client.HTTPException, KeyError, TypeError, ValueError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else errors.text_of(error)
        hidden = [str(config.get(name) or "") for name in ("refresh-token", "client-secret")]
        raise errors.Denied(
            f"The issuer {named} gave no new ID token: {outside_text.clean(why, hide=hidden)}. "
            f"{_LOG_IN}"
        ) from error
    if not isinstance(token, str) or not token:
        raise errors.Denied(f"The issuer {named} gave no new ID token. {_LOG_IN}")
    return token


def _fetch(config: Mapping[str, Any], request: urlrequest.Request | str) -> Any:
    address = request if isinstance(request, str) else request.full_url
    try:
        with _opener(config, address).open(request, timeout=_SECONDS) as answer:
            return json.loads(answer.read(_MOST_BYTES))
    except urlerror.HTTPError as error:
        error.close()
        raise
    except RecursionError as error:
        raise ValueError("its answer is nested too deeply") from error


def _grant(config: Mapping[str, Any], endpoint: object) -> urlrequest.Request:
    fields = {"grant_type": "refresh_token", "refresh_token": str(config["refresh-token"])}
    pair = f"{config['client-id']}:{config.get('client-secret') or ''}".encode()
    _https(str(endpoint), "its token endpoint")
    return urlrequest.Request(  # noqa: S310 - checked to be https
        str(endpoint),
        data=urlparse.urlencode(fields).encode(),
        headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}"},
    )


def _https(address: str, what: str) -> urlparse.SplitResult:
    parts = proxies.split(address, what)
    if parts.scheme != "https":
        raise errors.Denied(f"{what} is not an https address. {_LOG_IN}")
    return parts


def _opener(config: Mapping[str, Any], address: str) -> urlrequest.OpenerDirector:
    data = config.get("idp-certificate-authority-data")
    context = ssl.create_default_context(
        cafile=config.get("idp-certificate-authority") or None,
        cadata=base64.b64decode(str(data)).decode() if data else None,
    )
    proxy = proxies.choose(urlparse.urlsplit(address), "", shell_settings.proxy_environment())
    return urlrequest.build_opener(
        urlrequest.HTTPSHandler(context=context),
        urlrequest.ProxyHandler({"https": proxy.address} if proxy is not None else {}),
        _Redirects(),
    )


class _Redirects(urlrequest.HTTPRedirectHandler):
    """Follows what leads to the issuer's own description, and never with a secret."""

    def redirect_request(
        self,
        req: urlrequest.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urlrequest.Request | None:
        # What is sent holds the refresh token and the client's secret: for the issuer alone.
        if req.data is not None or not newurl.startswith("https://"):
            raise ValueError("it leads to another address, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
