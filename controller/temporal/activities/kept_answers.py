"""What an activity of many requests has read, kept for its next try: Temporal waits between both.

An account that limits its requests refuses the fifteenth of twenty. To wait for it in the activity
would hold a slot of the worker, to start over might never end (ADR 0039).
"""

import contextlib
from collections.abc import Callable, Iterator

import temporalio.activity as activity

from controller import clock
from controller.spacelift import client
from controller.spacelift import errors as spacelift_errors
from controller.temporal.activities import errors

# Longer than any pause between two tries. A worker that is given no further try forgets.
_KEPT_SECONDS = 900.0
# For one account, in one worker; most are small, since most are refused early.
_MOST = 20
# Each of them says that this request was not carried out, and nothing about those before it.
_PASSING = (spacelift_errors.RateLimited, spacelift_errors.Unreachable)

_Activity = tuple[str, str]


class KeptAnswers:
    """The answers so far, by workflow run and activity: a workflow has one such activity at a time.

    Each worker has its own. If another worker takes the next try, it finds only what that worker
    has read.
    """

    def __init__(self, *, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._monotonic = monotonic
        # In the order in which they were kept.
        self._kept: dict[_Activity, tuple[float, client.Answers]] = {}

    @contextlib.contextmanager
    def reader(self, spacelift: client.SpaceliftClient) -> Iterator[client.SpaceliftClient]:
        """Give a client that does not ask again what an earlier try of the activity has read.

        Raises:
            ApplicationError: for a SpaceliftError that leaves the context.
        """
        info = activity.info()
        key = (info.workflow_run_id or "", info.activity_type)
        known = self._take(key)
        before = len(known)
        try:
            yield spacelift.remembering(known)
        except spacelift_errors.SpaceliftError as error:
            if isinstance(error, _PASSING):
                self._keep(key, known)
            raise errors.to_application_error(error, is_further=len(known) > before) from error

    def _take(self, key: _Activity) -> client.Answers:
        oldest = self._monotonic() - _KEPT_SECONDS
        self._kept = {other: item for other, item in self._kept.items() if item[0] > oldest}
        return self._kept.pop(key, (0.0, {}))[1]

    def _keep(self, key: _Activity, known: client.Answers) -> None:
        if known:
            self._kept[key] = (self._monotonic(), known)
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]
