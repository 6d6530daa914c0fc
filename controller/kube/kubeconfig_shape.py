"""What each part of a kubeconfig has to be, as kubectl reads it. Pure.

A switch in quotes is a string, and a string that says "false" would count as true; kubectl refuses
it, and so do we (ADR 0059).
"""

from typing import Any, Final

Shape = type[str] | type[bool] | list["Shape"] | dict[str, "Shape"]

ANY_NAME: Final = "*"
"""Stands for all the fields of a mapping that has no fixed fields."""

_CLUSTER: Shape = {
    "server": str,
    "tls-server-name": str,
    "insecure-skip-tls-verify": bool,
    "certificate-authority": str,
    "certificate-authority-data": str,
    "proxy-url": str,
    "extensions": [{"name": str}],
}
_EXEC: Shape = {
    "apiVersion": str,
    "command": str,
    "args": [str],
    "env": [{"name": str, "value": str}],
    "installHint": str,
    "interactiveMode": str,
    "provideClusterInfo": bool,
}
_USER: Shape = {
    "client-certificate": str,
    "client-certificate-data": str,
    "client-key": str,
    "client-key-data": str,
    "token": str,
    "tokenFile": str,
    "username": str,
    "password": str,
    "as": str,
    "as-uid": str,
    "as-groups": [str],
    "as-user-extra": {ANY_NAME: [str]},
    "auth-provider": {"name": str, "config": {ANY_NAME: str}},
    "exec": _EXEC,
}
_CONTEXT: Shape = {"cluster": str, "user": str, "namespace": str}
PARTS: dict[str, Shape] = {"clusters": _CLUSTER, "users": _USER, "contexts": _CONTEXT}


class WrongShape(Exception):
    """A part is not what it has to be; the message names it, and never quotes it."""


def checked(value: Any, shape: Shape, where: str) -> Any:
    """Return a part without the fields that are null.

    Args:
        value: the part, as YAML has it.
        shape: what it has to be.
        where: its name.

    Raises:
        WrongShape: it is something else.
    """
    if shape is str or shape is bool:
        if not isinstance(value, shape):
            raise WrongShape(_mistake(value, where, is_text=shape is str))
        return value
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise WrongShape(f"{where} must be a list")
        return [
            checked(item, shape[0], f"item {at} of {where}") for at, item in enumerate(value, 1)
        ]
    return _fields(value, shape, where)


def _fields(value: Any, shape: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongShape(f"{where} must be a mapping")
    found = {}
    for name, field in value.items():
        if not isinstance(name, str):
            raise WrongShape(f"the names of the fields in {where} must be strings")
        inner = shape.get(ANY_NAME) or shape.get(name)
        if field is not None:
            found[name] = checked(field, inner, f"{name} in {where}") if inner else field
    return found


def _mistake(value: Any, where: str, *, is_text: bool) -> str:
    if not is_text:
        quotes = ", without quotes" if isinstance(value, str) else ""
        return f"{where} must be true or false{quotes}"
    is_scalar = isinstance(value, (bool, int, float))
    return f"{where} must be a string{': put it in quotes' if is_scalar else ''}"
