"""For decide: whether a connection may be used for what a resource wants, and what to do if not."""

import dataclasses

from controller.api import reasons, v1alpha1, wording
from controller.chain.status import projection
from controller.config import connections, permissions

_REASONS = {
    permissions.DisallowedUse.NAMESPACE: reasons.ChainReason.NAMESPACE_NOT_ALLOWED,
    permissions.DisallowedUse.OPERATION: reasons.ChainReason.OPERATION_NOT_ALLOWED,
    permissions.DisallowedUse.FIELD: reasons.ChainReason.FIELD_NOT_ALLOWED,
}


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
        return self.listed is not None and _refuses(self.listed, self.namespace, operation)


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
        return listed is not None and _refuses(listed, namespace, operation)

    def _problem_of(
        self, chain: v1alpha1.StackChain, listed: connections.Connection | None
    ) -> projection.Problem | None:
        if listed is None:
            return self._unknown(chain)
        refusal = listed.refusal_of(use_of(chain))
        if refusal is None:
            return None
        return projection.Problem(
            reason=_REASONS[refusal.reason], message=refusal.message, is_retrying=False
        )

    def _unknown(self, chain: v1alpha1.StackChain) -> projection.Problem:
        """Name those connections only that the namespace may use: others are not its business."""
        found = (self._catalog.get(name) for name in self._catalog.names())
        namespace, name = chain.ref.namespace, chain.spec.connection_name
        usable = [item.name for item in found if item and item.allowed.serves(namespace)]
        known = ", ".join(f"'{item}'" for item in usable) or "none"
        return projection.Problem(
            reason=reasons.ChainReason.CONNECTION_UNKNOWN,
            message=f"There is no Spacelift connection '{name}'"
            f"{wording.did_you_mean(name, usable)}; this namespace may use: {known}. Set "
            "`spec.connectionName` in a new resource, or add the connection.",
            is_retrying=False,
        )


def use_of(chain: v1alpha1.StackChain) -> permissions.ConnectionUse:
    """Return what a resource wants of its connection."""
    spec = chain.spec
    return permissions.ConnectionUse(
        namespace=chain.ref.namespace,
        operation=spec.operation,
        confirmation_policy=spec.policies.confirmation_policy,
        variables=tuple(item.name for item in spec.runtime_environment),
        has_commit=spec.commit_sha is not None,
    )


def _refuses(connection: connections.Connection, namespace: str, operation: str) -> bool:
    use = permissions.ConnectionUse(namespace=namespace, operation=operation)
    refusal = connection.refusal_of(use)
    return refusal is not None and refusal.reason is not permissions.DisallowedUse.FIELD
