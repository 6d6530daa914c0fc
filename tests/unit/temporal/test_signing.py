"""What the operator signs and workers check; anything that was changed counts as not signed."""

import dataclasses
import os
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import temporalio.converter

from controller.api import v1alpha1
from controller.chain.news import notifications
from controller.config import settings
from controller.operator import chain_inputs
from controller.temporal import messages, notification_messages, signing, start_messages
from tests.support.builders import (
    make_connection,
    make_notification,
    make_request,
    make_spec,
    make_stack_chain,
)
from tests.support.golden import Golden

FIRST, SECOND = "first-" + "a" * 32, "second-" + "b" * 32


def keys(*words: str) -> signing.SigningKeys:
    return signing.SigningKeys(settings.Secret(value="\n".join(words)))


def chain_input(**spec: Any) -> messages.ChainInput:
    fields = {"runtime_environment": (v1alpha1.EnvironmentVariable(name="A", value="1"),)} | spec
    return chain_inputs.chain_input(
        make_stack_chain(spec=make_spec("a", **fields)),
        make_request(),
        make_connection(),
        operator_queue="q",
    )


def traveled(argument: messages.ChainInput) -> messages.ChainInput:
    """Return an input as a worker has it, through the converter."""
    converter = temporalio.converter.DataConverter.default.payload_converter
    (found,) = converter.from_payloads(converter.to_payloads([argument]), [messages.ChainInput])
    assert isinstance(found, messages.ChainInput)
    return found


def check(argument: messages.ChainInput, own: signing.SigningKeys) -> None:
    """Do what a worker does before it reads the stacks."""
    own.check(argument.connection)
    grant = argument.connection.grant
    own.check_covers(
        grant, signing.digest(grant.input_digest), actual=signing.input_digest(argument)
    )
    own.check_covers(grant, grant.scope_digest, actual=argument.scope)
    own.check_covers(grant, grant.environment_digest, actual=argument.environment)


def test_what_was_signed_is_accepted_after_it_traveled() -> None:
    signed = traveled(keys(FIRST).signed_input(chain_input(commit_sha="0123abcd")))

    check(signed, keys(FIRST))
    assert FIRST not in repr(signed)


def test_each_key_is_accepted_and_the_first_one_signs() -> None:
    signed = keys(SECOND, FIRST).signed_input(chain_input())

    check(signed, keys(FIRST, SECOND))
    with pytest.raises(signing.SigningKeyUnknown, match="STACKCHAIN_SIGNING_KEYS"):
        check(signed, keys(FIRST))


def _with_grant(argument: messages.ChainInput, **changes: Any) -> messages.ChainInput:
    grant = dataclasses.replace(argument.connection.grant, **changes)
    connection = dataclasses.replace(argument.connection, grant=grant)
    return dataclasses.replace(argument, connection=connection)


CHANGES: dict[str, Callable[[messages.ChainInput], messages.ChainInput]] = {
    "ref": lambda one: dataclasses.replace(one, ref=dataclasses.replace(one.ref, name="other")),
    "number": lambda one: dataclasses.replace(one, number=2),
    "attempt": lambda one: dataclasses.replace(one, attempt=2),
    "cause": lambda one: dataclasses.replace(one, cause="Retry"),
    "operator_queue": lambda one: dataclasses.replace(one, operator_queue="mine"),
    "scope": lambda one: dataclasses.replace(
        one, scope=dataclasses.replace(one.scope, operation=v1alpha1.Operation.DESTROY)
    ),
    "policies": lambda one: dataclasses.replace(
        one,
        policies=dataclasses.replace(
            one.policies, confirmation_policy=v1alpha1.ConfirmationPolicy.AUTO
        ),
    ),
    "commit_sha": lambda one: dataclasses.replace(one, commit_sha="0123abcd"),
    "environment": lambda one: dataclasses.replace(one, environment={"A": "2"}),
    "kept": lambda one: dataclasses.replace(one, kept=["a"]),  # type: ignore[list-item]
    "retried": lambda one: dataclasses.replace(one, retried=["a"]),  # type: ignore[list-item]
    "left": lambda one: dataclasses.replace(one, left=["a"]),  # type: ignore[list-item]
    "finished_roots": lambda one: dataclasses.replace(
        one,
        finished_roots=["a"],  # type: ignore[list-item]
    ),
    "durations": lambda one: dataclasses.replace(one, durations={"a": 1}),
}
GRANT_CHANGES: dict[str, Any] = {
    "use": dataclasses.replace(chain_input().connection.grant.use, operation="Destroy"),
    "commit_sha": "0123abcd",
    "confirmation_limits": v1alpha1.ConfirmationLimits(max_deleted=9),
    "input_digest": "x",
    "scope_digest": "x",
    "environment_digest": "x",
    "signature": "",
}


@pytest.mark.parametrize("field", CHANGES)
def test_an_input_that_was_changed_is_refused(field: str) -> None:
    signed = keys(FIRST).signed_input(chain_input())

    with pytest.raises(signing.SignatureInvalid):
        check(CHANGES[field](signed), keys(FIRST))


def test_all_of_the_input_is_covered_but_what_a_live_run_may_change() -> None:
    fields = {field.name for field in dataclasses.fields(messages.ChainInput)}

    assert fields - set(CHANGES) == {"connection", "is_suspended"}
    assert {field.name for field in dataclasses.fields(messages.Grant)} == set(GRANT_CHANGES)


@pytest.mark.parametrize("field", GRANT_CHANGES)
def test_a_grant_that_was_changed_is_refused(field: str) -> None:
    signed = keys(FIRST).signed_input(chain_input())

    with pytest.raises(signing.SignatureInvalid):
        check(_with_grant(signed, **{field: GRANT_CHANGES[field]}), keys(FIRST))


@pytest.mark.parametrize("field", ["name", "endpoint", "account"])
def test_another_connection_is_refused(field: str) -> None:
    signed = keys(FIRST).signed_input(chain_input())
    connection = dataclasses.replace(signed.connection, **{field: "https://other"})

    with pytest.raises(signing.SignatureInvalid, match="was changed"):
        keys(FIRST).check(connection)


@pytest.mark.parametrize("signature", ["", "x", ".", "nonsense.\u00e4", "\u00e4.\u00e4"])
def test_junk_for_a_signature_is_refused(signature: str) -> None:
    forged = _with_grant(chain_input(), signature=signature)

    with pytest.raises((signing.SignatureInvalid, signing.SigningKeyUnknown)):
        keys(FIRST).check(forged.connection)


def test_a_permit_is_for_one_stack_of_one_grant_and_outlives_a_rotation() -> None:
    signed = keys(FIRST).signed_input(chain_input()).connection
    other = keys(FIRST).signed_input(chain_input(commit_sha="0123abcd")).connection
    permit = keys(FIRST).permit(signed, "a")
    stack = messages.StackRef(connection=signed, stack_id="a", permit=permit)

    keys(SECOND, FIRST).check_permit(stack)
    for wrong in (
        dataclasses.replace(stack, stack_id="b"),
        dataclasses.replace(stack, connection=other),
        dataclasses.replace(stack, permit=""),
        dataclasses.replace(stack, permit=signed.grant.signature),
    ):
        with pytest.raises(signing.SignatureInvalid):
            keys(FIRST).check_permit(wrong)


WINDOW = v1alpha1.Window(cron="0 9 * * *", duration_seconds=3600)
WIDER = v1alpha1.Window(cron="0 9 * * *", duration_seconds=7200)


def test_a_permit_is_good_within_its_windows_and_to_stop_at_any_time() -> None:
    signed = keys(FIRST).signed_input(chain_input()).connection
    permit = keys(FIRST).permit(signed, "a", windows=(WINDOW,))
    free = keys(FIRST).permit(signed, "a")
    stack = messages.StackRef(connection=signed, stack_id="a", permit=permit, windows=(WINDOW,))

    keys(FIRST).check_permit(stack)
    keys(FIRST).check_stop_permit(dataclasses.replace(stack, windows=()))
    for wrong in (
        dataclasses.replace(stack, windows=()),
        dataclasses.replace(stack, windows=(WIDER,)),
        dataclasses.replace(stack, windows=(), permit=permit.partition("/")[0]),
        dataclasses.replace(stack, permit=free),
        dataclasses.replace(stack, permit=f"{free}/{permit.partition('/')[2]}"),
    ):
        with pytest.raises(signing.SignatureInvalid):
            keys(FIRST).check_permit(wrong)


def deliveries(
    wanted: notification_messages.NotificationInput,
) -> list[notification_messages.DeliverNotificationInput]:
    """Return what a worker gets of it, through the converter."""
    converter = temporalio.converter.DataConverter.default.payload_converter
    sent = [
        notification_messages.DeliverNotificationInput(
            sink=sink,
            notification=wanted.notification,
            signature=wanted.signatures.get(sink, ""),
        )
        for sink in wanted.sinks
    ]
    hints = [notification_messages.DeliverNotificationInput] * len(sent)
    return converter.from_payloads(converter.to_payloads(sent), list(hints))


def test_a_notification_is_signed_for_each_of_its_sinks_and_outlives_a_rotation() -> None:
    asked = notification_messages.NotificationInput(
        notification=make_notification(), sinks=["ops", "audit"]
    )
    signed = deliveries(keys(FIRST).signed_notification(asked))

    for item in signed:
        keys(SECOND, FIRST).check_notification(item)
    told = dataclasses.replace(signed[0].notification, message="Another message.")
    for wrong in (
        dataclasses.replace(signed[0], sink="audit"),
        dataclasses.replace(signed[0], notification=told),
        dataclasses.replace(signed[0], signature=""),
    ):
        with pytest.raises(signing.SignatureInvalid, match="The notification"):
            keys(FIRST).check_notification(wrong)


def test_without_keys_nothing_is_signed_and_all_is_accepted() -> None:
    none = signing.SigningKeys()
    argument = none.signed_input(chain_input())

    check(argument, none)
    none.check_permit(messages.StackRef(connection=argument.connection, stack_id="a"))
    assert argument.connection.grant.signature == ""
    assert none.permit(argument.connection, "a") == ""
    asked = notification_messages.NotificationInput(notification=make_notification(), sinks=["ops"])
    assert none.signed_notification(asked) == asked
    none.check_notification(deliveries(asked)[0])
    with pytest.raises(signing.SignatureInvalid, match="is not signed"):
        keys(FIRST).check(argument.connection)


def test_keys_are_taken_from_their_file_as_it_changes_and_kept_if_it_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys"
    file.write_text(FIRST)
    mounted = signing.SigningKeys(settings.Secret(file=file))
    old = mounted.signed_input(chain_input())

    file.write_text(f"{SECOND}\n{FIRST}\n")
    new = mounted.signed_input(chain_input())
    os.unlink(file)  # noqa: PTH108 - as the kubelet does
    again = mounted.signed_input(chain_input())

    check(old, keys(FIRST))
    check(new, keys(SECOND))
    assert again == new
    assert caplog.messages == ["Signing keys not read, keeping the last"]


# -- versions side by side ------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Inner:
    names: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Older:
    name: str
    inner: _Inner


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _NewerInner:
    names: tuple[str, ...] = ()
    limit: int | None = None
    hints: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Newer:
    name: str
    inner: _NewerInner
    is_careful: bool = False


def test_a_field_that_a_version_adds_counts_once_it_is_set() -> None:
    older = _Older(name="a", inner=_Inner(names=("b",)))

    assert signing.digest(_Newer(name="a", inner=_NewerInner(names=("b",)))) == signing.digest(
        older
    )
    for changed in (
        _Newer(name="a", inner=_NewerInner(names=("b",), limit=0)),
        _Newer(name="a", inner=_NewerInner(names=("b",), hints=["c"])),
        _Newer(name="a", inner=_NewerInner(names=("b",)), is_careful=True),
    ):
        assert signing.digest(changed) != signing.digest(older)


def test_a_permit_to_stop_of_a_newer_version_is_accepted_if_all_of_it_is_known_here() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "REVISION", signing.REVISION + 1)
        signed = keys(FIRST).signed_input(chain_input()).connection
        permit = keys(FIRST).stop_permit(signed, "a")
    stack = messages.StackRef(connection=signed, stack_id="a", permit=permit)

    keys(FIRST).check_stop_permit(stack)
    with pytest.raises(signing.SignedByNewerVersion):
        keys(FIRST).check_stop_permit(dataclasses.replace(stack, stack_id="b"))


def _newer(argument: messages.ChainInput) -> messages.ChainInput:
    """Return an input as an operator of the next version signs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "REVISION", signing.REVISION + 1)
        return keys(FIRST).signed_input(argument)


def test_what_a_newer_version_signed_is_accepted_if_all_of_it_is_known_here() -> None:
    check(traveled(_newer(chain_input())), keys(FIRST))


@pytest.mark.parametrize("field", CHANGES)
def test_an_input_with_more_than_this_version_knows_is_left_to_newer_workers(field: str) -> None:
    with pytest.raises(signing.SignedByNewerVersion, match="upgrade all workers"):
        check(CHANGES[field](_newer(chain_input())), keys(FIRST))


def test_a_grant_with_more_than_this_version_knows_is_left_to_newer_workers() -> None:
    cut = _with_grant(_newer(chain_input(commit_sha="0123abcd")), commit_sha=None)

    with pytest.raises(signing.SignedByNewerVersion):
        keys(FIRST).check(cut.connection)


def _signed_fields(kind: Any, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the fields of each dataclass that a value of a type may hold, by its name."""
    for argument in typing.get_args(kind):
        _signed_fields(argument, found)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind.__name__ not in found:
        found[kind.__name__] = [field.name for field in dataclasses.fields(kind)]
        for hint in typing.get_type_hints(kind).values():
            _signed_fields(hint, found)
    return found


def test_what_is_signed_has_the_fields_of_its_revision(golden: Golden) -> None:
    """Where it differs: before a release only record it; after one, raise `signing.REVISION` too.

    Workers of the older version then leave what they do not know to newer ones, and do not mistake
    it for a forgery.
    """
    found: dict[str, list[str]] = {}
    for kind in (
        messages.ChainInput,
        start_messages.FindRootRunsInput,
        notifications.Notification,
    ):
        _signed_fields(kind, found)

    golden("signed_fields").check(
        f"Revision {signing.REVISION}",
        "\n".join(f"{name}: {' '.join(found[name])}" for name in sorted(found)),
    )
