"""The account as JSON: whole for snapshots, and as a file that survives the end of the process.

The file is a list of records, one a line; of several with the same kind and key the last one
counts. A mutation costs one short write, not a dump of the account. The file is written before the
answer is sent, and without fsync: it has to survive the death of the process, not of the machine.
It is compacted at each start.
"""

import json
from pathlib import Path
from typing import Any

import pydantic

from devenv.simulator.model import entities, run_entities, webhooks
from devenv.simulator.model.account import Account
from devenv.simulator.model.behavior import Behavior
from devenv.simulator.model.delivery_behavior import DeliveryBehavior

_ADAPTERS: dict[str, pydantic.TypeAdapter[Any]] = {
    "stack": pydantic.TypeAdapter(entities.Stack),
    "run": pydantic.TypeAdapter(run_entities.Run),
    "edge": pydantic.TypeAdapter(entities.Edge),
    "key": pydantic.TypeAdapter(entities.ApiKey),
    "space": pydantic.TypeAdapter(entities.Space),
    "pool": pydantic.TypeAdapter(entities.WorkerPool),
    "webhook": pydantic.TypeAdapter(webhooks.Webhook),
    "policy": pydantic.TypeAdapter(webhooks.Policy),
    "delivery": pydantic.TypeAdapter(webhooks.Delivery),
}
_OUTCOME: pydantic.TypeAdapter[run_entities.Outcome] = pydantic.TypeAdapter(run_entities.Outcome)


def dump(account: Account) -> dict[str, Any]:
    """Return all records of an account; its audit trail and request log are not part of it."""
    kinds = {
        kind: {key: _ADAPTERS[kind].dump_python(record, mode="json") for key, record in table}
        for kind, table in ((kind, _table(account, kind).items()) for kind in _ADAPTERS)
    }
    return {"account": _account_record(account), **kinds}


def load(document: dict[str, Any]) -> Account:
    """Return the account that `dump` wrote."""
    record = document["account"]
    account = Account(record["name"])
    account.speed = record["speed"]
    account.behavior = Behavior.model_validate(record["behavior"])
    account.delivery_behavior = DeliveryBehavior.model_validate(record.get("delivery_behavior", {}))
    account.durations = record["durations"]
    account.outcome = _OUTCOME.validate_python(record["outcome"])
    account.public_parallelism = record["public_parallelism"]
    account.signing_key = record["signing_key"]
    account.token_epoch = record["token_epoch"]
    for kind in ("key", "space", "pool", "webhook", "policy", "delivery"):
        # A snapshot from before there were webhooks has none.
        for key, one in document.get(kind, {}).items():
            _table(account, kind)[key] = _ADAPTERS[kind].validate_python(one)
    for one in document["stack"].values():
        account.add_stack(_ADAPTERS["stack"].validate_python(one))
    for one in document["edge"].values():
        account.add_edge(_ADAPTERS["edge"].validate_python(one))
    for _, one in sorted(document["run"].items()):
        account.add_run(_ADAPTERS["run"].validate_python(one))
    return account


class Store:
    """The state file of a simulator."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Any] | None:
        """Return what the file holds; None if there is no file yet."""
        if not self._path.exists():
            return None
        document: dict[str, Any] = {kind: {} for kind in _ADAPTERS}
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    # The process ended in the middle of this line, so no one has learned of it.
                    break
                kind, key, record = json.loads(line)
                if kind == "account":
                    document["account"] = record
                elif record is None:
                    document[kind].pop(key, None)
                else:
                    document[kind][key] = record
        return document if "account" in document else None

    def rewrite(self, account: Account) -> None:
        """Write the whole account anew."""
        account.take_changes()
        document = dump(account)
        lines = [json.dumps(["account", "", document.pop("account")])]
        for kind, table in document.items():
            lines += [json.dumps([kind, key, record]) for key, record in table.items()]
        draft = self._path.with_name(self._path.name + ".new")
        draft.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        draft.replace(self._path)

    def append(self, account: Account) -> None:
        """Write what has changed since the last call."""
        changes = account.take_changes()
        if not changes:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write("".join(_line(account, kind, key) for kind, key in changes))


def _line(account: Account, kind: str, key: str) -> str:
    if kind == "account":
        return json.dumps([kind, "", _account_record(account)]) + "\n"
    record = _table(account, kind).get(key)
    dumped = None if record is None else _ADAPTERS[kind].dump_python(record, mode="json")
    return json.dumps([kind, key, dumped]) + "\n"


def _table(account: Account, kind: str) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = {
        "stack": account.stacks,
        "run": account.runs,
        "edge": account.edges,
        "key": account.keys,
        "space": account.spaces,
        "pool": account.pools,
        "webhook": account.webhooks,
        "policy": account.policies,
        "delivery": account.deliveries,
    }
    return tables[kind]


def _account_record(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "speed": account.speed,
        "behavior": account.behavior.model_dump(mode="json"),
        "delivery_behavior": account.delivery_behavior.model_dump(mode="json"),
        "durations": account.durations,
        "outcome": _OUTCOME.dump_python(account.outcome, mode="json"),
        "public_parallelism": account.public_parallelism,
        "signing_key": account.signing_key,
        "token_epoch": account.token_epoch,
    }
