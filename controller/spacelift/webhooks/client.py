"""Reads and writes what `plan` decides about: spaces, named webhooks and policies.

Nothing is retried, and nothing needs to be: a set-up that is run again looks first.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from controller.spacelift import account_session, answers, documents, errors
from controller.spacelift.webhooks import documents as webhook_documents
from controller.spacelift.webhooks import plan
from controller.spacelift.webhooks.plan import Policy, SetupAction, SetupStep, Space, Webhook

# Pages of 50 webhooks; far more than an account has, and a limit if the cursor never ends.
_MOST_PAGES = 100

_Documents = Mapping[SetupAction, tuple[documents.Document, str]]


class WebhookClient:
    """The webhooks and policies of one account; every failure leaves it as one of `errors`."""

    def __init__(self, account: account_session.AccountSession) -> None:
        """Take the session of the account; it is closed with the client."""
        self._session = account

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()

    async def list_spaces(self) -> list[Space]:
        """Return the spaces that the API key sees."""
        what = "listing spaces"
        answer = await self._session.query(webhook_documents.LIST_SPACES, {}, what=what)
        with answers.readable(what):
            return [_read_space(body) for body in answer.data["spaces"]]

    async def list_webhooks(self) -> list[Webhook]:
        """Return the named webhooks that the API key sees."""
        what = "listing webhooks"
        found: list[Webhook] = []
        after: str | None = None
        for _ in range(_MOST_PAGES):
            variables = webhook_documents.page(after=after)
            with _for_administrators(what):
                answer = await self._session.query(
                    webhook_documents.LIST_WEBHOOKS, variables, what=what
                )
            with answers.readable(what):
                page = answer.data["found"]
                found += [_read_webhook(edge["node"]) for edge in page["edges"]]
                after = page["pageInfo"]["endCursor"]
                if not page["pageInfo"]["hasNextPage"] or not after:
                    return found
        message = f"{what}: the list does not end; nothing was changed"
        raise errors.SpaceliftRefused(message)

    async def list_policies(self) -> list[Policy]:
        """Return the policies that the API key sees."""
        what = "listing policies"
        with _for_administrators(what):
            answer = await self._session.query(webhook_documents.LIST_POLICIES, {}, what=what)
        with answers.readable(what):
            return [_read_policy(body) for body in answer.data["policies"]]

    async def carry_out_webhook(self, step: SetupStep[Webhook], *, secret: str) -> str:
        """Do what a step says and return the webhook's id; the secret goes with every write."""
        webhook = step.item
        fields = {
            "name": webhook.name,
            "endpoint": webhook.endpoint,
            "enabled": webhook.enabled,
            "space": webhook.space,
            "labels": list(webhook.labels),
            "retryOnFailure": webhook.retry_on_failure,
            "secret": secret,
        }
        what = f"the webhook {webhook.name} in space {webhook.space}"
        return await self._carry_out(step, fields, _OF_WEBHOOKS, what, hide=(secret,))

    async def carry_out_policy(self, step: SetupStep[Policy]) -> str:
        """Do what a step says and return the policy's id."""
        policy = step.item
        fields: dict[str, object] = {
            "name": policy.name,
            "body": policy.body,
            "description": policy.description,
            "labels": list(policy.labels),
            "space": policy.space,
        }
        # The type of a policy is given once, and an update that names it is refused.
        if step.action is SetupAction.CREATE:
            fields["type"] = policy.type
        what = f"the policy {policy.name} in space {policy.space}"
        return await self._carry_out(step, fields, _OF_POLICIES, what)

    async def _carry_out(
        self,
        step: SetupStep[Any],
        fields: Mapping[str, object],
        of: _Documents,
        what: str,
        *,
        hide: Collection[str] = (),
    ) -> str:
        item_id: str = step.item.id
        if not step.action.is_change:
            return item_id
        document, doing = of[step.action]
        variables: dict[str, object] = {}
        if step.action is not SetupAction.CREATE:
            variables["id"] = item_id
        if step.action is not SetupAction.REMOVE:
            variables["input"] = fields
        what = f"{doing} {what}"
        with _for_administrators(what):
            answer = await self._session.change(document, variables, what=what, hide=hide)
        if item_id:
            # The answer for a removed object may be null, since it is no longer there.
            return item_id
        with answers.readable(what):
            return str(answer.data["changed"]["id"])


_OF_WEBHOOKS = {
    SetupAction.CREATE: (webhook_documents.CREATE_WEBHOOK, "creating"),
    SetupAction.UPDATE: (webhook_documents.UPDATE_WEBHOOK, "updating"),
    SetupAction.REMOVE: (webhook_documents.DELETE_WEBHOOK, "removing"),
}
_OF_POLICIES = {
    SetupAction.CREATE: (webhook_documents.CREATE_POLICY, "creating"),
    SetupAction.UPDATE: (webhook_documents.UPDATE_POLICY, "updating"),
    SetupAction.REMOVE: (webhook_documents.DELETE_POLICY, "removing"),
}


@contextlib.contextmanager
def _for_administrators(what: str) -> Iterator[None]:
    """Say of a denial what right is missing: it is another one than chains need."""
    try:
        yield
    except errors.PermissionDenied as error:
        message = (
            f"{what}: the API key is valid but not allowed; webhooks and policies need an "
            "administrator of their space; set them up with such a key"
        )
        raise errors.PermissionDenied(message) from error


def _read_space(body: Mapping[str, Any]) -> Space:
    return Space(
        id=str(body["id"]),
        parent=body.get("parentSpace") or None,
        inherits=bool(body.get("inheritEntities")),
    )


def _read_webhook(body: Mapping[str, Any]) -> Webhook:
    return Webhook(
        id=str(body["id"]),
        name=str(body["name"]),
        endpoint=str(body["endpoint"]),
        enabled=bool(body["enabled"]),
        space=str(body["space"]["id"]),
        labels=tuple(body.get("labels") or ()),
        retry_on_failure=bool(body.get("retryOnFailure")),
    )


def _read_policy(body: Mapping[str, Any]) -> Policy:
    return Policy(
        id=str(body["id"]),
        name=str(body["name"]),
        body=str(body["body"]),
        type=str(body["type"]),
        description=str(body.get("description") or ""),
        labels=tuple(body.get("labels") or ()),
        space=str(body.get("space") or plan.ROOT_SPACE),
    )
