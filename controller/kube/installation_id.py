"""The id that sets a release's workflows and schedules apart from those of other clusters."""

import asyncio
import logging

from controller.config import settings
from controller.kube import errors, stackchains

logger = logging.getLogger(__name__)


class InstallationId:
    """A setting, or made of the cluster's id and the release's namespace."""

    def __init__(
        self,
        installation: settings.InstallationSettings,
        stack_chains: stackchains.StackChains,
        *,
        retry_seconds: float = 1.0,
    ) -> None:
        self._installation = installation
        self._stack_chains = stack_chains
        self._retry_seconds = retry_seconds
        self._problem: str | None = None
        if not installation.installation_id:
            self._problem = "The cluster's id has not been read yet."

    async def check(self) -> str | None:
        """Return why it is not known, for readiness."""
        return self._problem

    async def find(self) -> str:
        """Return it, however long it takes to read what it is made of."""
        if self._installation.installation_id:
            return self._installation.installation_id
        while True:
            try:
                uid = await self._stack_chains.get_namespace_uid("kube-system")
            except errors.KubeError as error:
                self._report(str(error))
                await asyncio.sleep(self._retry_seconds)
            else:
                self._problem = None
                return f"{uid[:8]}-{self._installation.namespace}"

    def _report(self, why: str) -> None:
        advice = "grant `get` of the namespace kube-system, or set STACKCHAIN_INSTALLATION"
        problem = f"The cluster's id cannot be read: {why}; {advice}"
        # Once for each problem: a right may be missing for hours.
        if problem != self._problem:
            logger.warning("The cluster's id cannot be read", extra={"why": problem})
        self._problem = problem
