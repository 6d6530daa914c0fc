"""`ui`: serves the page on loopback, with the user's own kubeconfig and rights, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import functools
import os
import webbrowser
from pathlib import Path
from urllib import parse as urlparse

from controller.display import styled_text
from controller.display.styled_text import Style
from controller.display.terminal import Terminal
from controller.kube import chain_watch, user_client
from controller.plugin import chain_page, cluster, page_actions, page_sources
from controller.plugin.exit_codes import CommandError, ExitCode
from controller.ui import chain_feed, page_server
from controller.ui.page_documents import Document

# Long enough for a slow API server; the page says so if it has not answered by then.
_FIRST_LIST_SECONDS = 10.0


async def serve(
    target: cluster.ClusterChoice, wanted: argparse.Namespace, terminal: Terminal, *, opens: bool
) -> int:
    """Serve the page until this is canceled.

    Args:
        target: the cluster and namespace.
        wanted: the options of the command.
        terminal: where the address is printed.
        opens: whether a browser can be opened.

    Raises:
        CommandError: the chains may not be read, or the port is taken.
    """
    namespace = None if wanted.all_namespaces else target.namespace
    kube = user_client.UserClient(target.kubernetes, context=target.context)
    options = command_options(target.context, getattr(wanted, "kubeconfig", None))
    feed = chain_feed.ChainFeed(
        [chain_watch.ChainWatch(kube, namespace=namespace)],
        describe=functools.partial(chain_page.describe, options=options),
        problem_of=lambda error: page_sources.problem_text(error, namespace),
    )
    server = page_server.LoopbackServer(
        page_server.PageSource(
            feed=feed,
            hello=_hello(target, namespace),
            list_events=page_sources.events_of(kube),
            actions=page_actions.PageActions(kube, options=options),
        )
    )
    following = asyncio.create_task(feed.run())
    try:
        await _first_list(feed, namespace)
        try:
            await server.start(wanted.port)
        except OSError as error:
            raise port_error(wanted.port, error) from error
        address = server.address(_query(wanted.name, namespace or target.namespace))
        for line in _lines(address, namespace):
            terminal.print(line)
        if opens and not wanted.no_browser:
            await asyncio.to_thread(webbrowser.open, address)
        await following
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await server.stop()
        await kube.close()
    return ExitCode.DONE


def command_options(context: str | None, kubeconfig: str | None) -> tuple[str, ...]:
    """Return the options with which a command in any folder is about the same cluster."""
    file = ("--kubeconfig", str(Path(kubeconfig).absolute())) if kubeconfig else ()
    return (*file, *(("--context", context) if context else ()))


def port_error(port: int, error: OSError) -> CommandError:
    """Say that a port cannot be listened on, and what to do."""
    why = os.strerror(error.errno) if error.errno else str(error)
    return CommandError(
        ExitCode.USAGE,
        f"port {port} of 127.0.0.1 cannot be used ({why}); choose another one with --port, or "
        "omit --port to use any free port.",
    )


async def _first_list(feed: chain_feed.ChainFeed, namespace: str | None) -> None:
    """Wait for the first answer, so that an error shows here and not in a browser."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_LIST_SECONDS):
            while not feed.is_listed and feed.error is None:
                await feed.changed.wait()
    if feed.error is not None:
        raise page_sources.explained(feed.error, namespace)


def _hello(target: cluster.ClusterChoice, namespace: str | None) -> Document:
    return {
        "scope": f"namespace {namespace}" if namespace else "all namespaces",
        "context": target.context or "",
    }


def _query(name: str | None, namespace: str) -> str:
    return urlparse.urlencode({"namespace": namespace, "chain": name}) if name else ""


def _lines(address: str, namespace: str | None) -> list[styled_text.Line]:
    scope = f"the namespace {namespace}" if namespace else "all namespaces"
    return [
        styled_text.line(address, Style.STRONG),
        styled_text.line(
            f"The page shows the chains of {scope} as you may see them. The address works once. "
            "Press Ctrl-C to stop.",
            Style.FAINT,
        ),
    ]
