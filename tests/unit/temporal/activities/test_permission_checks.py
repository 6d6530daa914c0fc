"""Workers refuse what their own connection does not allow, whatever the message says."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
import temporalio.exceptions

from controller.api import v1alpha1
from controller.chain.graph import packed_reading
from controller.chain.run import native_stops
from controller.config import permissions, settings
from controller.operator import chain_inputs
from controller.spacelift import models
from controller.temporal import messages, signing, start_messages
from controller.temporal.activities import errors, root_runs, stack_dependencies
from tests.support.builders import (
    make_connection,
    make_request,
    make_scope,
    make_spec,
    make_stack_chain,
    make_use,
)
from tests.unit.temporal.activities import fakes

STRICT = permissions.Permissions(
    namespaces=("team",),
    operations=("Plan",),
    confirmation_policies=("StackDefault",),
    variables=(),
    allows_commit=False,
)
ELSEWHERE = dataclasses.replace(
    fakes.CONNECTION,
    grant=messages.Grant(use=permissions.ConnectionUse(namespace="else", operation="Plan")),
)
PLAN = dataclasses.replace(fakes.CONNECTION, grant=messages.Grant(use=make_use("Plan")))


async def trigger(bench: fakes.Bench, **fields: Any) -> Any:
    argument = {"operation": "Plan"} | fields
    target = messages.StackRef(
        connection=argument.pop("connection", PLAN), stack_id="a", permit=argument.pop("permit", "")
    )
    return await bench.environment.run(
        bench.operations.trigger_stack_run,
        messages.TriggerStackRunInput(target=target, newest_run_id="0", marker="", **argument),
    )


async def confirm(bench: fakes.Bench, **fields: Any) -> Any:
    run = bench.spacelift.add_run(state="UNCONFIRMED")
    target = messages.StackRef(
        connection=fields.get("connection", PLAN), stack_id="a", permit=fields.get("permit", "")
    )
    return await bench.environment.run(
        bench.operations.confirm_stack_run,
        messages.ConfirmStackRunInput(target=target, run_id=run.run_id, note=""),
    )


async def stop(bench: fakes.Bench, **fields: Any) -> Any:
    run = bench.spacelift.add_run(state="QUEUED")
    target = messages.StackRef(
        connection=fields.get("connection", PLAN), stack_id="a", permit=fields.get("permit", "")
    )
    return await bench.environment.run(
        bench.operations.stop_stack_run,
        messages.StopStackRunInput(target=target, run_id=run.run_id, note=""),
    )


async def stop_natives(bench: fakes.Bench, **fields: Any) -> Any:
    origin = bench.spacelift.add_run("root")
    bench.spacelift.add_run(triggered_by="root")
    unwanted = native_stops.UnwantedRuns(
        stack_id="a",
        origin_run_ids=[origin.run_id],
        queuers=["root"],
        note="",
        permit=fields.get("permit", ""),
    )
    return await bench.environment.run(
        bench.operations.stop_native_runs,
        messages.StopNativeRunsInput(connection=fields.get("connection", PLAN), targets=[unwanted]),
    )


async def discover(bench: fakes.Bench, **fields: Any) -> Any:
    argument = {"connection": PLAN, "scope": make_scope("a", operation="Plan")} | fields
    packed = await bench.environment.run(
        stack_dependencies.StackDependencies(bench.clients).fetch_dependent_stacks,
        messages.FetchDependentStacksInput(**argument),
    )
    return packed_reading.unpack(packed)


async def sweep(bench: fakes.Bench, **fields: Any) -> Any:
    return await bench.environment.run(
        root_runs.RootRunFinder(bench.clients).find_root_runs,
        start_messages.FindRootRunsInput(roots=v1alpha1.Roots(stack_ids=("a",)), **fields),
    )


Doing = Callable[..., Awaitable[Any]]


@pytest.mark.parametrize(
    ("do", "fields", "reason"),
    [
        (trigger, {"connection": ELSEWHERE}, "NamespaceNotAllowed"),
        (trigger, {"operation": "Apply"}, "OperationNotAllowed"),
        (trigger, {"operation": "Destroy"}, "OperationNotAllowed"),
        (trigger, {"environment": {"A": "1"}}, "FieldNotAllowed"),
        (trigger, {"commit_sha": "0123abcd"}, "FieldNotAllowed"),
        (confirm, {"connection": ELSEWHERE}, "NamespaceNotAllowed"),
        (confirm, {}, "FieldNotAllowed"),
        (discover, {"connection": ELSEWHERE}, "NamespaceNotAllowed"),
        (discover, {"scope": make_scope("a", operation="Destroy")}, "OperationNotAllowed"),
        (sweep, {"connection": ELSEWHERE}, "NamespaceNotAllowed"),
    ],
)
async def test_what_the_connection_forbids_is_refused_before_anything_is_asked(
    do: Doing, fields: dict[str, Any], reason: str
) -> None:
    """What would be sent decides: a message that claims to be for less is not believed."""
    bench = fakes.make_bench(allowed=STRICT)

    with pytest.raises(temporalio.exceptions.ApplicationError, match="own connection") as caught:
        await do(bench, **fields)

    assert (caught.value.type, caught.value.non_retryable) == (reason, False)
    assert bench.spacelift.calls == []


async def test_what_is_allowed_is_done() -> None:
    bench = fakes.make_bench(allowed=STRICT)

    run = await trigger(bench)

    assert run.run_id in bench.spacelift.runs


@pytest.mark.parametrize(
    ("labels", "is_refused"), [(("team:x",), False), (("team:y",), True), (None, True)]
)
@pytest.mark.parametrize("do", [trigger, confirm])
async def test_a_stack_counts_by_the_labels_that_it_has_now(
    do: Doing, labels: tuple[str, ...] | None, is_refused: bool
) -> None:
    allowed = permissions.Permissions(namespaces=("team",), stack_labels=("team:x",))
    bench = fakes.make_bench(allowed=allowed)
    if labels is not None:
        bench.spacelift.stacks["a"] = stack("a", *labels)

    if is_refused:
        with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
            await do(bench)
        assert caught.value.type == "StackNotAllowed"
    else:
        await do(bench)

    assert bench.spacelift.count("get_stacks") == 1
    assert bench.spacelift.count("trigger_run") == (do is trigger and not is_refused)


async def test_discovery_tells_which_stacks_may_not_run() -> None:
    allowed = permissions.Permissions(
        namespaces=("team",), stack_ids=("a",), stack_labels=("team:x",)
    )
    bench = fakes.make_bench(allowed=allowed)
    bench.spacelift.stacks = {"a": stack("a"), "b": stack("b", "team:x"), "c": stack("c")}

    found = await discover(bench, scope=make_scope("a", "b", "c", operation="Plan"))

    assert found.forbidden == ("c",)


async def test_a_refused_trigger_is_known_to_have_sent_nothing() -> None:
    """So a cancel of the chain has no run to look for."""
    assert set(permissions.DisallowedUse) <= errors.NOTHING_SENT


async def test_a_right_that_is_withdrawn_leaves_a_lost_run_to_be_found() -> None:
    bench = fakes.make_bench(allowed=STRICT)
    lost = bench.spacelift.add_run(type="TRACKED")

    found = await trigger(bench, operation="Apply", was_attempted=True)

    assert found.run_id == lost.run_id


def stack(stack_id: str, *labels: str) -> models.StackRecord:
    return models.StackRecord(id=stack_id, name=stack_id, labels=labels)


# What no operator has signed

KEYS = signing.SigningKeys(settings.Secret(value="k" * 32))
WANTED = chain_inputs.chain_input(
    make_stack_chain(
        spec=make_spec(
            "a",
            "b",
            confirmation_policy=v1alpha1.ConfirmationPolicy.AUTO,
            runtime_environment=(v1alpha1.EnvironmentVariable(name="A", value="1"),),
        )
    ),
    make_request(),
    make_connection(),
    operator_queue="q",
)
SIGNED = KEYS.signed_input(WANTED)
GRANTED = SIGNED.connection
AS_SIGNED: dict[str, Any] = {
    "connection": GRANTED,
    "operation": "Apply",
    "environment": {"A": "1"},
    "permit": KEYS.permit(GRANTED, "a"),
}


def signed_bench() -> fakes.Bench:
    bench = fakes.make_bench()
    bench.clients.signing_keys = KEYS
    bench.spacelift.stacks = {name: stack(name) for name in ("a", "b", "other")}
    return bench


async def read(bench: fakes.Bench, **fields: Any) -> Any:
    signed = {"scope": SIGNED.scope, "input_digest": signing.input_digest(SIGNED)}
    return await discover(bench, **{"connection": GRANTED, **signed, **fields})


async def triggered(bench: fakes.Bench, **fields: Any) -> Any:
    return await trigger(bench, **{**AS_SIGNED, **fields})


async def confirmed(bench: fakes.Bench, **fields: Any) -> Any:
    return await confirm(bench, **{"connection": GRANTED, "permit": AS_SIGNED["permit"], **fields})


async def stopped(bench: fakes.Bench, **fields: Any) -> Any:
    return await stop(bench, **{"connection": GRANTED, "permit": AS_SIGNED["permit"], **fields})


async def natives_stopped(bench: fakes.Bench, **fields: Any) -> Any:
    given = {"connection": GRANTED, "permit": AS_SIGNED["permit"], **fields}
    return await stop_natives(bench, **given)


async def test_what_was_signed_is_done_to_the_stacks_that_were_read() -> None:
    bench = signed_bench()

    found = await read(bench)
    await triggered(bench, permit=found.permits["a"])
    await confirmed(bench, permit=found.permits["a"])

    assert sorted(found.permits) == ["a", "b"]
    assert bench.spacelift.count("trigger_run") == bench.spacelift.count("confirm") == 1


async def test_what_the_runs_of_the_chain_reach_may_be_stopped_and_not_run() -> None:
    """`behind` is natively below `a` and outside of the chain; `above` is upstream of it."""
    bench = signed_bench()
    bench.spacelift.stacks |= {
        "above": linked("above", down=["a"]),
        "a": linked("a", up=["above"], down=["behind"]),
        "behind": linked("behind", up=["a"]),
    }
    scope = make_scope("a", direction=v1alpha1.Direction.ROOTS_ONLY)
    argument = dataclasses.replace(WANTED, scope=scope)
    grant = dataclasses.replace(
        WANTED.connection.grant, scope_digest=signing.digest(scope), signature=""
    )
    signed = KEYS.signed_input(
        dataclasses.replace(
            argument, connection=dataclasses.replace(WANTED.connection, grant=grant)
        )
    )

    found = await discover(
        bench,
        connection=signed.connection,
        scope=scope,
        input_digest=signing.input_digest(signed),
    )

    assert found.permits == {
        "a": KEYS.permit(signed.connection, "a"),
        "behind": KEYS.stop_permit(signed.connection, "behind"),
    }


async def test_a_permit_says_within_which_windows_the_stack_may_run() -> None:
    bench = signed_bench()
    window = v1alpha1.Window(cron="@daily", duration_seconds=60)
    scope = dataclasses.replace(WANTED.scope, window=window)
    grant = dataclasses.replace(WANTED.connection.grant, scope_digest=signing.digest(scope))
    connection = dataclasses.replace(WANTED.connection, grant=grant)
    signed = KEYS.signed_input(dataclasses.replace(WANTED, scope=scope, connection=connection))

    found = await discover(
        bench,
        connection=signed.connection,
        scope=scope,
        input_digest=signing.input_digest(signed),
    )

    assert found.permits["a"] == KEYS.permit(signed.connection, "a", windows=(window,))
    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await trigger(
            bench, **{**AS_SIGNED, "connection": signed.connection, "permit": found.permits["a"]}
        )
    assert caught.value.type == "SignatureInvalid"
    assert bench.spacelift.count("trigger_run") == 0


@pytest.mark.parametrize("permit", [KEYS.permit, KEYS.stop_permit])
@pytest.mark.parametrize("do", [stopped, natives_stopped])
async def test_runs_are_stopped_by_either_permit(do: Doing, permit: Any) -> None:
    bench = signed_bench()

    await do(bench, permit=permit(GRANTED, "a"))

    assert [run.state for run in bench.spacelift.runs.values() if run.stack_id == "a"] == [
        "CANCELED"
    ]


def linked(
    stack_id: str, *, up: Sequence[str] = (), down: Sequence[str] = ()
) -> models.StackRecord:
    return models.StackRecord(
        id=stack_id,
        name=stack_id,
        depends_on=tuple(models.StackEdge(upstream_id=item, dependent_id=stack_id) for item in up),
        is_depended_on_by=tuple(
            models.StackEdge(upstream_id=stack_id, dependent_id=item) for item in down
        ),
    )


@pytest.mark.parametrize(
    ("do", "fields"),
    [
        (read, {"connection": WANTED.connection}),
        (read, {"scope": make_scope("other")}),
        (read, {"input_digest": "x"}),
        (triggered, {"connection": WANTED.connection}),
        (triggered, {"operation": "Destroy"}),
        (triggered, {"environment": {"A": "2"}}),
        (triggered, {"environment": {}}),
        (triggered, {"commit_sha": "0123abcd"}),
        (triggered, {"permit": ""}),
        (triggered, {"permit": KEYS.permit(GRANTED, "other")}),
        (confirmed, {"connection": WANTED.connection}),
        (confirmed, {"permit": ""}),
        (
            confirmed,
            {
                "connection": KEYS.signed(PLAN),
                "permit": KEYS.permit(PLAN, "a"),
            },
        ),
        (sweep, {"connection": GRANTED}),
        (stopped, {"connection": WANTED.connection}),
        (stopped, {"permit": ""}),
        (stopped, {"permit": KEYS.permit(GRANTED, "other")}),
        (stopped, {"permit": KEYS.stop_permit(GRANTED, "other")}),
        (natives_stopped, {"connection": WANTED.connection}),
        (natives_stopped, {"permit": ""}),
        (natives_stopped, {"permit": KEYS.permit(GRANTED, "other")}),
        (triggered, {"permit": KEYS.stop_permit(GRANTED, "a")}),
        (confirmed, {"permit": KEYS.stop_permit(GRANTED, "a")}),
    ],
)
async def test_what_no_operator_signed_is_refused_for_good(
    do: Doing, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    bench = signed_bench()

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await do(bench, **fields)

    assert (caught.value.type, caught.value.non_retryable) == ("SignatureInvalid", True)
    assert "Work refused that no operator signed" in caplog.messages
    assert bench.spacelift.calls == []


async def test_a_key_that_is_not_here_yet_is_waited_for() -> None:
    bench = signed_bench()
    newer = signing.SigningKeys(settings.Secret(value="n" * 32))

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await triggered(bench, connection=newer.signed_input(WANTED).connection)

    assert (caught.value.type, caught.value.non_retryable) == ("SigningKeyUnknown", False)
