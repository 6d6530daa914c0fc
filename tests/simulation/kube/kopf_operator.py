"""kopf itself, on virtual time: its queues, causes, retries, finalizers and patches are real.

Left out is what surrounds them in `kopf.operator`: discovery, signals, and kopf's own way to stop,
which cancels all tasks of the event loop, those of other processes among them.
"""

import asyncio
import contextlib
import datetime
import functools
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import kopf
from kopf._cogs.aiokits import aiotoggles
from kopf._cogs.clients import auth, watching
from kopf._cogs.structs import credentials, ephemera, references
from kopf._core.actions import application, lifecycles, progression
from kopf._core.engines import activities, indexing, posting
from kopf._core.reactor import inventory, processing, queueing

from controller import clock
from controller.kube import client
from controller.operator import kopf_settings, watches
from tests.simulation.kube import kopf_session
from tests.simulation.kube.link import ApiLink
from tests.simulation.kube.routes import STACKCHAINS
from tests.simulation.processes import OWNER, Process

_ACCESS = client.Access(
    server=kopf_session.SERVER,
    ca_file=None,
    is_verified=True,
    authorization=None,
    username=None,
    password=None,
    certificate_file=None,
    key_file=None,
    proxy=None,
)
_RESOURCE = references.Resource(
    group=STACKCHAINS.group,
    version=STACKCHAINS.version,
    plural=STACKCHAINS.plural,
    kind=STACKCHAINS.kind,
    singular=STACKCHAINS.kind.lower(),
    namespaced=True,
    preferred=True,
    subresources=frozenset({"status"}),
    verbs=frozenset({"list", "watch", "patch"}),
)


def login(link: ApiLink) -> kopf_settings.Login:
    """Return the product's login handler, with a session on the stand-in for the API server."""

    async def read_access() -> client.Access:
        return _ACCESS

    authenticate = kopf_settings.login(read_access)

    async def with_session(**arguments: Any) -> kopf.AiohttpSession:
        info = await authenticate(**arguments)
        session: Any = kopf_session.KopfSession(link)
        return kopf.AiohttpSession(
            server=info.server, aiohttp_session=session, priority=info.priority
        )

    return with_session  # type: ignore[return-value]


async def watch(
    registry: kopf.OperatorRegistry,
    ours: watches.Watches,
    is_ours: kopf_settings.IsOurs,
    namespaces: Sequence[str] = (),
) -> None:
    """Watch the StackChains of some namespaces or of all, and call their handlers; never returns.

    In the process that calls it, under `virtual_kopf`.
    """
    settings = kopf.OperatorSettings()
    kopf_settings.configure(settings, is_ours=is_ours)
    vault, memo = credentials.Vault(), ephemera.AnyMemo(ephemera.Memo())
    indexers = indexing.OperatorIndexers()
    auth.vault_var.set(vault)
    posting.settings_var.set(settings)
    _watches_of[OWNER.get()] = ours
    processor = functools.partial(
        processing.process_resource_event,
        lifecycle=lifecycles.get_default_lifecycle(),
        registry=registry,
        settings=settings,
        indexers=indexers,
        memories=inventory.ResourceMemories(),
        memobase=memo,
        resource=_RESOURCE,
        operator_paused=aiotoggles.ToggleSet(any),
        event_queue=asyncio.Queue(),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(
            activities.authenticator(
                registry=registry,
                settings=settings,
                indices=indexers.indices,
                vault=vault,
                memo=memo,
            )
        )
        scopes: Sequence[str | None] = list(namespaces) or [None]
        for namespace in scopes:
            group.create_task(
                ours.lasting_watcher(
                    queueing.watcher,
                    namespace=namespace,
                    settings=settings,
                    resource=_RESOURCE,
                    processor=processor,
                )
            )


@contextlib.contextmanager
def virtual_kopf() -> Iterator[None]:
    """Have kopf's time be the one of the process that it runs in, and its watches lasting ones.

    `watches.Watches.installed` does the latter, for one operator only.
    """
    stream, basetime = watching.infinite_watch, progression._get_basetime

    def lasting_stream(**arguments: Any) -> AsyncIterator[Any]:
        return _watches_of[OWNER.get()].lasting_stream(stream, **arguments)

    watching.infinite_watch = lasting_stream
    progression._get_basetime = _basetime
    setattr(application, "datetime", _Dates)  # noqa: B010 - a module that it imports
    try:
        with kopf_settings.bounded_pauses():
            yield
    finally:
        watching.infinite_watch = stream
        progression._get_basetime = basetime
        setattr(application, "datetime", datetime)  # noqa: B010 - a module that it imports
        _watches_of.clear()


_watches_of: dict[Process, watches.Watches] = {}


def _basetime() -> datetime.datetime:
    since = datetime.timedelta(seconds=asyncio.get_running_loop().time())
    return clock.now() - since


class _Dates:
    """What kopf uses of the module `datetime` to make a string that differs each time."""

    UTC = datetime.UTC

    class datetime:  # noqa: N801 - as the module has it
        """The class of the module."""

        @staticmethod
        def now(_: datetime.tzinfo) -> datetime.datetime:
            """Return the time of the process."""
            return clock.now()
