#!/usr/bin/env python3
"""`in-spacelift`: what people do in the simulated Spacelift while a page of the docs is read.

in-spacelift confirm|discard|approve|cancel STACK    of its run that waits for that
in-spacelift trigger STACK                           as a person does
in-spacelift is STACK STATE                          waits until its newest run is in that state
in-spacelift next STACK OUTCOMES                     what its next runs come to, in JSON
in-spacelift slow|quick STACK...                     how long its runs take
in-spacelift set STACK KEYS                          changes the stack, in JSON
in-spacelift depends STACK [not] UPSTREAM            adds or removes a dependency
in-spacelift later                                   lets ten minutes pass: what runs ends
"""

import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any

_POLL_SECONDS = 0.1
_WAIT_SECONDS = 120
_USER = {"user": "ann@example.com"}
# One that is slow lasts until time passes by `later`.
_SECONDS_OF_RUNS = {"slow": 600, "quick": 2}
_WAITING = {
    "confirm": ("UNCONFIRMED",),
    "discard": ("UNCONFIRMED",),
    "approve": ("QUEUED", "PENDING_REVIEW"),
    "cancel": ("QUEUED",),
}


def main(admin_url: str, words: list[str]) -> None:
    """Do one thing."""
    account = _Account(admin_url)
    match words:
        case [("confirm" | "discard" | "approve" | "cancel") as act, stack]:
            account.ask("POST", f"/runs/{account.newest(stack, *_WAITING[act])}/{act}", _USER)
        case ["trigger", stack]:
            account.ask("POST", f"/stacks/{stack}/trigger", _USER)
        case ["is", stack, state]:
            account.newest(stack, state)
        case ["next", stack, outcomes]:
            body = {"outcomes": json.loads(outcomes), "replace": True}
            account.ask("POST", f"/stacks/{stack}/outcomes", body)
        case [("slow" | "quick") as how, *stacks]:
            for stack in stacks:
                account.ask("PATCH", f"/stacks/{stack}", {"durations": _SECONDS_OF_RUNS[how]})
        case ["set", stack, keys]:
            account.ask("PATCH", f"/stacks/{stack}", json.loads(keys))
        case ["depends", stack, upstream]:
            account.ask("POST", "/edges", {"stack": stack, "dependsOn": upstream})
        case ["depends", stack, "not", upstream]:
            account.ask("DELETE", "/edges", {"stack": stack, "dependsOn": upstream})
        case ["later"]:
            account.ask("POST", "/clock", {"advance": 600})
        case _:
            sys.exit(__doc__)


class _Account:
    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url

    def newest(self, stack: str, *states: str) -> str:
        """Wait until the newest run of a stack is in one of the states, and return its id."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            runs = self.ask("GET", f"/runs?stack={stack}")["runs"]
            if runs and runs[-1]["state"] in states:
                return str(runs[-1]["id"])
            if time.monotonic() > deadline:
                found = [(run["type"], run["state"]) for run in runs]
                sys.exit(f"the newest run of {stack} never was {'/'.join(states)}: {found}")
            time.sleep(_POLL_SECONDS)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the admin API."""
        request = urllib.request.Request(  # noqa: S310 - the simulator of the test
            self._admin_url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=_WAIT_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
