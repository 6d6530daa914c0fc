"""Signal handlers that tolerate whatever is sent: one click in Temporal's web UI sends a signal.

A handler that raises fails the workflow's task, which Temporal retries forever: the workflow would
be stuck. The SDK drops what it cannot decode. It passes on a signal without its argument, with too
many of them, and with values that carry no type.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from temporalio import workflow

_Handler = TypeVar("_Handler", bound=Callable[..., None])


def signal(name: str) -> Callable[[_Handler], _Handler]:
    """Declare a handler; a signal whose arguments do not fit is ignored, and logged.

    A handler without arguments does its work whatever was sent.
    """

    def declare(handler: _Handler) -> _Handler:
        hints = get_type_hints(handler)
        parameters = list(inspect.signature(handler).parameters)[1:]
        expected = [hints[parameter] for parameter in parameters]

        @functools.wraps(handler)
        def checked(instance: Any, *arguments: Any) -> None:
            given = arguments if expected else ()
            if len(given) != len(expected) or not all(map(isinstance, given, expected)):
                workflow.logger.warning("Signal without its argument ignored", extra={"sent": name})
                return
            handler(instance, *given)

        return workflow.signal(name=name)(checked)  # type: ignore[return-value]

    return declare
