"""Makes the simulated account notify the local receiver of its runs."""

from typing import Any

import aiohttp

from devenv import tools

NAME = "stackchain"
_SECONDS = aiohttp.ClientTimeout(total=10)


async def register(admin_url: str, *, endpoint: str, secret: str) -> None:
    """Make the account's webhook, or bring the one that an earlier start left up to date.

    Args:
        admin_url: base URL of the simulator's admin API.
        endpoint: where the receiver takes deliveries.
        secret: what signs them.

    Raises:
        DevError: the simulator does not do so.
    """
    wanted = {"endpoint": endpoint, "secret": secret, "enabled": True, "retryOnFailure": True}
    try:
        # The account is on this machine, whatever proxies the shell is set up for.
        async with aiohttp.ClientSession(timeout=_SECONDS, trust_env=False) as session:
            known = await _ask(session, "GET", f"{admin_url}/webhooks")
            for webhook in known["webhooks"]:
                if webhook["name"] == NAME:
                    await _ask(session, "PATCH", f"{admin_url}/webhooks/{webhook['id']}", wanted)
                    return
            new = {"name": NAME, "policy": "documented", **wanted}
            await _ask(session, "POST", f"{admin_url}/webhooks", new)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise tools.DevError(f"the simulator takes no webhook: {error!r}") from error


async def _ask(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Any:
    async with session.request(method, url, json=body) as response:
        if not response.ok:
            raise tools.DevError(f"the simulator takes no webhook: {await response.text()}")
        return await response.json()
