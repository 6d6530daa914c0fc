"""A new ID token for a refresh token, from an OpenID Connect issuer.

Nothing is written back: the kubeconfig is the user's.
"""

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib import error as urlerror
from urllib import parse as urlparse
from urllib import request as urlrequest

from controller import outside_text
from controller.kube import errors

_SECONDS = 10.0
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
    try:
        found = _fetch(config, _https(f"{issuer}/.well-known/openid-configuration"))
        return str(_fetch(config, _grant(config, found["token_endpoint"]))["id_token"])
    except (OSError, http.client.HTTPException, KeyError, TypeError, ValueError) as error:
        raise errors.Denied(
            f"The issuer {issuer} gave no new ID token: {outside_text.clean(str(error))}. {_LOG_IN}"
        ) from error


def _fetch(config: Mapping[str, Any], request: urlrequest.Request | str) -> Any:
    try:
        with _opener(config).open(request, timeout=_SECONDS) as answer:
            return json.load(answer)
    except urlerror.HTTPError as error:
        error.close()
        raise


def _grant(config: Mapping[str, Any], endpoint: str) -> urlrequest.Request:
    fields = {"grant_type": "refresh_token", "refresh_token": str(config["refresh-token"])}
    pair = f"{config['client-id']}:{config.get('client-secret') or ''}".encode()
    return urlrequest.Request(  # noqa: S310 - checked to be https
        _https(endpoint),
        data=urlparse.urlencode(fields).encode(),
        headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}"},
    )


def _https(address: str) -> str:
    if not address.startswith("https://"):
        raise ValueError(f"{address!r} is not an https address")
    return address


def _opener(config: Mapping[str, Any]) -> urlrequest.OpenerDirector:
    data = config.get("idp-certificate-authority-data")
    context = ssl.create_default_context(
        cafile=config.get("idp-certificate-authority") or None,
        cadata=base64.b64decode(str(data)).decode() if data else None,
    )
    return urlrequest.build_opener(urlrequest.HTTPSHandler(context=context))
