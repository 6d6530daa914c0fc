"""The admin API: webhooks made in one call, the log of deliveries, and what happens to them."""

from typing import Any, Literal

from aiohttp import web

from devenv.simulator import webhook_seeding, webhook_specs
from devenv.simulator.model.behavior import StrictModel
from devenv.simulator.model.delivery_behavior import DeliveryBehavior
from devenv.simulator.model.webhooks import Delivery, Policy, Webhook
from devenv.simulator.simulator import Simulator
from devenv.simulator.web.admin_bodies import body_of, checked, found, json_answer, json_of

_PAGE = 1000


class ReplayAct(StrictModel):
    """Which deliveries to send again; all by default."""

    webhook: str | None = None
    run: str | None = None


class NoiseAct(StrictModel):
    """What to send besides the events of runs."""

    webhook: str
    kind: Literal["internal-error", "module"] = "internal-error"


class InternalErrorAct(StrictModel):
    """Where an error inside of Spacelift happens."""

    stack: str


class WebhookAdmin:
    """Handlers about webhooks, policies and deliveries."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/admin/webhooks", self._webhooks),
            web.post("/admin/webhooks", self._add_webhook),
            web.get("/admin/webhooks/{webhook}", self._webhook),
            web.patch("/admin/webhooks/{webhook}", self._change_webhook),
            web.delete("/admin/webhooks/{webhook}", self._delete_webhook),
            web.get("/admin/policies", self._policies),
            web.post("/admin/policies", self._add_policy),
            web.get("/admin/deliveries", self._deliveries),
            web.delete("/admin/deliveries", self._clear),
            web.get("/admin/deliveries/behavior", self._behavior),
            web.patch("/admin/deliveries/behavior", self._change_behavior),
            web.post("/admin/deliveries/replay", self._replay),
            web.post("/admin/deliveries/noise", self._noise),
            web.post("/admin/internal-error", self._internal_error),
            web.get("/admin/runs/{run}/policy-input", self._policy_input),
        ]

    # -- webhooks and policies ---------------------------------------------------------------

    async def _webhooks(self, _request: web.Request) -> web.Response:
        webhooks = self._simulator.account.webhooks.values()
        return json_answer({"webhooks": [show_webhook(one) for one in webhooks]})

    async def _add_webhook(self, request: web.Request) -> web.Response:
        spec = await body_of(request, webhook_specs.WebhookSpec)
        return json_answer(show_webhook(webhook_seeding.put_webhook(self._simulator.engine, spec)))

    async def _webhook(self, request: web.Request) -> web.Response:
        return json_answer(show_webhook(self._named(request)))

    async def _change_webhook(self, request: web.Request) -> web.Response:
        webhook = self._named(request)
        change = await body_of(request, webhook_specs.WebhookChange)
        changed = webhook_seeding.change_webhook(self._simulator.engine, webhook, change)
        return json_answer(show_webhook(changed))

    async def _delete_webhook(self, request: web.Request) -> web.Response:
        self._simulator.account.remove_webhook(self._named(request).id)
        return json_answer({})

    async def _policies(self, _request: web.Request) -> web.Response:
        policies = self._simulator.account.policies.values()
        return json_answer({"policies": [show_policy(policy) for policy in policies]})

    async def _add_policy(self, request: web.Request) -> web.Response:
        spec = await body_of(request, webhook_specs.PolicySpec)
        return json_answer(show_policy(webhook_seeding.put_policy(self._simulator.engine, spec)))

    async def _policy_input(self, request: web.Request) -> web.Response:
        run = found(self._simulator.account.runs, request.match_info["run"], "run")
        found(self._simulator.account.stacks, run.stack_id, "stack")
        return json_answer(self._simulator.dispatch.policy_input(run))

    # -- deliveries --------------------------------------------------------------------------

    async def _deliveries(self, request: web.Request) -> web.Response:
        query = request.query
        after, limit = int(query.get("after", 0)), int(query.get("limit", _PAGE))
        deliveries = [
            delivery
            for delivery in self._simulator.account.deliveries.values()
            if delivery.number > after
            and query.get("webhook") in (None, delivery.webhook_id)
            and query.get("stack") in (None, delivery.stack_id)
            and query.get("run") in (None, delivery.run_id)
            and query.get("state") in (None, delivery.state)
        ]
        waiting = self._simulator.outbox.waiting
        shown = [show_delivery(delivery) for delivery in deliveries[:limit]]
        return json_answer({"deliveries": shown, "waiting": waiting})

    async def _clear(self, _request: web.Request) -> web.Response:
        self._simulator.outbox.clear()
        return json_answer({})

    async def _behavior(self, _request: web.Request) -> web.Response:
        behavior = self._simulator.account.delivery_behavior
        return json_answer(behavior.model_dump(mode="json", by_alias=True))

    async def _change_behavior(self, request: web.Request) -> web.Response:
        account = self._simulator.account
        known = account.delivery_behavior.model_dump(mode="json", by_alias=True)
        account.delivery_behavior = checked(DeliveryBehavior, known | await json_of(request))
        account.touch("account")
        return await self._behavior(request)

    async def _replay(self, request: web.Request) -> web.Response:
        act = await body_of(request, ReplayAct)
        dispatch = self._simulator.dispatch
        replayed = dispatch.replay(webhook_id=act.webhook, run_id=act.run)
        return json_answer({"deliveries": [show_delivery(one) for one in replayed]})

    async def _noise(self, request: web.Request) -> web.Response:
        act = await body_of(request, NoiseAct)
        webhook = found(self._simulator.account.webhooks, act.webhook, "webhook")
        delivery = self._simulator.dispatch.noise(webhook, kind=act.kind)
        return json_answer(show_delivery(delivery))

    async def _internal_error(self, request: web.Request) -> web.Response:
        act = await body_of(request, InternalErrorAct)
        stack = found(self._simulator.account.stacks, act.stack, "stack")
        self._simulator.dispatch.internal_error(stack)
        return json_answer({})

    def _named(self, request: web.Request) -> Webhook:
        return found(self._simulator.account.webhooks, request.match_info["webhook"], "webhook")


def show_webhook(record: Webhook) -> dict[str, Any]:
    """Show a webhook, its secret and headers included: the admin API hides nothing."""
    return {
        "id": record.id,
        "kind": record.kind,
        "endpoint": record.endpoint,
        "enabled": record.enabled,
        "secret": record.secret,
        "retryOnFailure": record.retry_on_failure,
        "headers": dict(record.headers),
        "stack": record.stack_id,
        "name": record.name,
        "space": record.space,
        "labels": list(record.labels),
        "includeRuns": record.include_runs,
        "failures": record.failures,
        "disabledAt": record.disabled_at,
    }


def show_policy(record: Policy) -> dict[str, Any]:
    """Show a policy."""
    return {
        "id": record.id,
        "name": record.name,
        "type": record.type,
        "space": record.space,
        "labels": list(record.labels),
        "body": record.body,
    }


def show_delivery(record: Delivery) -> dict[str, Any]:
    """Show a delivery with all its attempts, oldest first."""
    return {
        "id": record.id,
        "number": record.number,
        "webhook": record.webhook_id,
        "endpoint": record.endpoint,
        "event": record.event,
        "state": record.state,
        "note": record.note,
        "createdAt": record.created_at,
        "due": record.due,
        "stack": record.stack_id,
        "run": record.run_id,
        "runState": record.run_state,
        "stateVersion": record.state_version,
        "body": record.body,
        "attempts": [
            {"at": a.at, "status": a.status, "error": a.error, "seconds": a.seconds}
            for a in record.attempts
        ],
        "duplicateOf": record.duplicate_of,
        "replayOf": record.replay_of,
    }
