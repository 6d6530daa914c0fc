"""What executions can be found by in Temporal, where its namespace has these search attributes.

No part needs them: an operator sets all or none, and a run goes by what its operator has set; see
ADR 0061.
"""

from collections.abc import Iterable

import temporalio.common
from temporalio.common import SearchAttributeKey, TypedSearchAttributes

CHAIN_NAME = SearchAttributeKey.for_keyword("StackChainName")
CHAIN_NAMESPACE = SearchAttributeKey.for_keyword("StackChainNamespace")
CHAIN_REASON = SearchAttributeKey.for_keyword("StackChainReason")
"""Why the run of a chain is in its state: the reason of Ready, as far as the run knows it."""
STACK = SearchAttributeKey.for_keyword("SpaceliftStack")

NAMES = tuple(sorted(key.name for key in (CHAIN_NAME, CHAIN_NAMESPACE, CHAIN_REASON, STACK)))
"""All of them are keywords."""


def of_chain(*, namespace: str, name: str, reason: str) -> TypedSearchAttributes:
    """Return what the run of a chain starts with."""
    return TypedSearchAttributes([*_chain(namespace, name), _pair(CHAIN_REASON, reason)])


def of_stack(own: TypedSearchAttributes, stack_id: str) -> TypedSearchAttributes | None:
    """Return what the execution of a stack starts with, given what its chain has; None: nothing."""
    name, namespace = own.get(CHAIN_NAME), own.get(CHAIN_NAMESPACE)
    if name is None or namespace is None:
        return None
    return TypedSearchAttributes([*_chain(namespace, name), _pair(STACK, stack_id)])


def new_reason(
    own: TypedSearchAttributes, reason: str
) -> temporalio.common.SearchAttributeUpdate[str] | None:
    """Return the update that shows the run's new reason; None: not needed, or not possible."""
    known = own.get(CHAIN_REASON)
    return None if known is None or known == reason else CHAIN_REASON.value_set(reason)


def creation_command(namespace: str, missing: Iterable[str] = NAMES) -> str:
    """Return the command that adds attributes to a namespace."""
    flags = " ".join(f"--name {name} --type Keyword" for name in missing)
    return f"temporal operator search-attribute create --namespace {namespace} {flags}"


def _chain(namespace: str, name: str) -> list[temporalio.common.SearchAttributePair[str]]:
    return [_pair(CHAIN_NAME, name), _pair(CHAIN_NAMESPACE, namespace)]


def _pair(key: SearchAttributeKey[str], value: str) -> temporalio.common.SearchAttributePair[str]:
    return temporalio.common.SearchAttributePair(key, value)
