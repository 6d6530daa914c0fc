"""For decide: whether a connection may be used for what a resource wants, and what to do if not."""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.chain.status import projection
from controller.config import connections


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AccessVerdict:
    """Whether a resource may use its connection: found out once, and true for the whole pass.

    The connections may be edited while a pass waits for Temporal. `listed` is the connection of the
    name, `problem` what keeps the resource from using it.
    """

    namespace: str
    listed: connections.Connection | None
    problem: projection.Problem | None

    @property
    def usable(self) -> connections.Connection | None:
        """Return the connection if the resource may use it."""
        return self.listed if self.problem is None else None

    def refuses(self, operation: str) -> bool:
        """Whether the connection is known and does not serve an operation in this namespace."""
        return self.listed is not None and not self.listed.allows(self.namespace, operation)


class ConnectionAccess:
    """Judges by the catalog as it is at each call: connections may be edited at any time."""

    def __init__(self, catalog: connections.ConnectionCatalog) -> None:
        self._catalog = catalog

    def verdict_of(self, chain: v1alpha1.StackChain) -> AccessVerdict:
        """Judge what a resource wants."""
        listed = self._catalog.get(chain.spec.connection_name)
        return AccessVerdict(
            namespace=chain.ref.namespace, listed=listed, problem=self._problem_of(chain, listed)
        )

    def is_refused(self, connection_name: str, namespace: str, operation: str) -> bool:
        """Whether a connection is known and does not serve a namespace or an operation."""
        listed = self._catalog.get(connection_name)
        return listed is not None and not listed.allows(namespace, operation)

    def _problem_of(
        self, chain: v1alpha1.StackChain, listed: connections.Connection | None
    ) -> projection.Problem | None:
        name = chain.spec.connection_name
        if listed is None:
            return self._unknown(name)
        if not listed.allows_namespace(chain.ref.namespace):
            return projection.Problem(
                reason=reasons.ChainReason.NAMESPACE_NOT_ALLOWED,
                message=f"The connection '{name}' does not serve the namespace "
                f"'{chain.ref.namespace}'. Add it to the connection's `allowedNamespaces`.",
                is_retrying=False,
            )
        if chain.spec.operation not in listed.allowed_operations:
            allowed = ", ".join(listed.allowed_operations) or "none"
            return projection.Problem(
                reason=reasons.ChainReason.OPERATION_NOT_ALLOWED,
                message=f"The connection '{name}' does not serve the operation "
                f"{chain.spec.operation}; it serves: {allowed}. Add it to the connection's "
                "`allowedOperations`, or change `spec.operation`.",
                is_retrying=False,
            )
        return None

    def _unknown(self, name: str) -> projection.Problem:
        known = ", ".join(f"'{item}'" for item in self._catalog.names()) or "none"
        return projection.Problem(
            reason=reasons.ChainReason.CONNECTION_UNKNOWN,
            message=f"There is no Spacelift connection '{name}'; this release has: {known}. "
            "Set `spec.connectionName` in a new resource, or add the connection.",
            is_retrying=False,
        )
