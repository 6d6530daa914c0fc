"""For decide: whether a connection may be used for what a resource wants, and what to do if not."""

from controller.api import reasons, v1alpha1
from controller.chain.status import projection
from controller.config import connections


class ConnectionAccess:
    """Judges by the catalog as it is at each call: connections may be edited at any time."""

    def __init__(self, catalog: connections.ConnectionCatalog) -> None:
        self._catalog = catalog

    def connection_of(self, chain: v1alpha1.StackChain) -> connections.Connection:
        """Return the connection of a resource that is served."""
        connection = self._catalog.get(chain.spec.connection_name)
        if connection is None:
            raise AssertionError("a run is decided only for a connection that is known")
        return connection

    def is_refused(self, connection_name: str, namespace: str, operation: str) -> bool:
        """Whether a connection is known and does not serve a namespace or an operation."""
        connection = self._catalog.get(connection_name)
        return connection is not None and not (
            connection.allows(namespace) and operation in connection.allowed_operations
        )

    def problem_of(self, chain: v1alpha1.StackChain) -> projection.Problem | None:
        """Return what keeps a resource from being served, and what to do; None: nothing does."""
        name = chain.spec.connection_name
        connection = self._catalog.get(name)
        if connection is None:
            return self._unknown(name)
        if not connection.allows(chain.ref.namespace):
            return projection.Problem(
                reason=reasons.ChainReason.NAMESPACE_NOT_ALLOWED,
                message=f"The connection '{name}' does not serve the namespace "
                f"'{chain.ref.namespace}'. Add it to the connection's `allowedNamespaces`.",
                is_retrying=False,
            )
        if chain.spec.operation not in connection.allowed_operations:
            allowed = ", ".join(connection.allowed_operations) or "none"
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
