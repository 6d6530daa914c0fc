"""What has to change at Spacelift so that it notifies a receiver. Pure: from found to wanted.

A named webhook says where to send, and a notification policy what. Both are recognized by their
names, so a second set-up finds what the first one made, and people who made them by hand lose
nothing. See ADR 0025.
"""

import dataclasses
import enum
import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Generic, TypeVar

from controller.spacelift.webhooks import policy as notification_policy

ROOT_SPACE = "root"
POLICY_DESCRIPTION = "Made by `stackchain webhook setup`, which overwrites what is changed here."

_SPACES_SHOWN = 10
_MARK_PREFIX = "stackchain:secret-"
# 16 MB and some 50 ms, so that guessing a secret from its mark takes that for each guess.
_MARK_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 4}


class SetupAction(enum.StrEnum):
    """What becomes of one object."""

    CREATE = "created"
    UPDATE = "updated"
    REMOVE = "removed"
    NONE = "unchanged"
    ABSENT = "absent"

    @property
    def is_change(self) -> bool:
        """Whether anything is written."""
        return self in {SetupAction.CREATE, SetupAction.UPDATE, SetupAction.REMOVE}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A named webhook. Its secret cannot be read; `labels` may hold a mark of it."""

    id: str = ""
    """Empty: not created yet."""
    name: str
    endpoint: str
    enabled: bool = True
    space: str = ROOT_SPACE
    labels: tuple[str, ...] = ()
    retry_on_failure: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A policy of any type."""

    id: str = ""
    """Empty: not created yet."""
    name: str
    body: str
    type: str = notification_policy.TYPE
    description: str = POLICY_DESCRIPTION
    labels: tuple[str, ...] = ()
    space: str = ROOT_SPACE


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """A space; None as parent is the root of the account, or a parent that is not visible."""

    id: str
    parent: str | None = None
    inherits: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DesiredSetup:
    """What a person asks for; a space of None means the root for a new object, or no change."""

    name: str
    endpoint: str
    space: str | None = None
    secret_mark: str
    """See `secret_mark`."""


Item = TypeVar("Item", Webhook, Policy)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SetupStep(Generic[Item]):
    """What becomes of one object; `differences` name what an update changes."""

    action: SetupAction
    item: Item
    """As it is to be; as it is where nothing changes or it goes."""
    differences: tuple[str, ...] = ()


class CannotSetUp(Exception):
    """What exists conflicts with what is wanted; the message says what to do."""


def secret_mark(secret: str, *, name: str) -> str:
    """Return the label by which a later set-up sees that the webhook has another secret.

    Spacelift shows no secret, and a secret that was replaced only here would have all deliveries
    refused. The mark is slow to compute, and too short to confirm a guess for sure.
    """
    salt = f"stackchain webhook {name}".encode()
    digest = hashlib.scrypt(secret.encode(), salt=salt, **_MARK_COST)
    return _MARK_PREFIX + digest.hex()


def slug(name: str) -> str:
    """Return the id that Spacelift is expected to give a webhook of this name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def one_named(name: str, found: Sequence[Item], *, kind: str) -> Item | None:
    """Return the object with the name, None if there is none.

    Raises:
        CannotSetUp: several have it.
    """
    named = [item for item in found if item.name == name]
    if len(named) > 1:
        ids = ", ".join(sorted(item.id for item in named))
        message = (
            f"there are {len(named)} {kind} named {name} ({ids}); remove all but one, or choose "
            "another --name"
        )
        raise CannotSetUp(message)
    return named[0] if named else None


def webhook_step(wanted: DesiredSetup, found: Webhook | None) -> SetupStep[Webhook]:
    """Return what to do about the webhook."""
    if found is None:
        new = Webhook(
            name=wanted.name,
            endpoint=wanted.endpoint,
            space=wanted.space or ROOT_SPACE,
            labels=(wanted.secret_mark,),
        )
        return SetupStep(action=SetupAction.CREATE, item=new)
    webhook = dataclasses.replace(
        found,
        endpoint=wanted.endpoint,
        enabled=True,
        space=wanted.space or found.space,
        labels=_marked(found.labels, wanted.secret_mark),
        retry_on_failure=True,
    )
    differences = tuple(_webhook_differences(found, webhook))
    action = SetupAction.UPDATE if differences else SetupAction.NONE
    return SetupStep(action=action, item=webhook, differences=differences)


def policy_step(
    wanted: DesiredSetup, found: Policy | None, *, endpoint_id: str
) -> SetupStep[Policy]:
    """Return what to do about the policy that routes runs to the webhook of an id.

    Raises:
        CannotSetUp: a policy of another type has the name; a type cannot be changed.
    """
    body = notification_policy.body(endpoint_id)
    if found is None:
        new = Policy(name=wanted.name, body=body, space=wanted.space or ROOT_SPACE)
        return SetupStep(action=SetupAction.CREATE, item=new)
    _check_type(found)
    is_same_body = _lines(found.body) == _lines(body)
    policy = dataclasses.replace(
        found,
        body=found.body if is_same_body else body,
        description=POLICY_DESCRIPTION,
        space=wanted.space or found.space,
    )
    differences = tuple(_policy_differences(found, policy))
    action = SetupAction.UPDATE if differences else SetupAction.NONE
    return SetupStep(action=action, item=policy, differences=differences)


def webhook_removal(name: str, found: Webhook | None) -> SetupStep[Webhook]:
    """Return what to do so that there is no webhook of the name."""
    if found is None:
        return SetupStep(action=SetupAction.ABSENT, item=Webhook(name=name, endpoint=""))
    return SetupStep(action=SetupAction.REMOVE, item=found)


def policy_removal(name: str, found: Policy | None) -> SetupStep[Policy]:
    """Return what to do so that there is no notification policy of the name.

    Raises:
        CannotSetUp: a policy of another type has the name.
    """
    if found is None:
        return SetupStep(action=SetupAction.ABSENT, item=Policy(name=name, body=""))
    _check_type(found)
    return SetupStep(action=SetupAction.REMOVE, item=found)


def check_space(space: str, visible: Collection[Space]) -> None:
    """Check that a space is there to put things into.

    Raises:
        CannotSetUp: it is not, or the API key does not see it.
    """
    names = sorted(item.id for item in visible)
    if space not in names:
        shown = ", ".join(names[:_SPACES_SHOWN]) + (", ..." if len(names) > _SPACES_SHOWN else "")
        message = (
            f"there is no space {space}, or the API key does not see it; choose one with --space, "
            f"by its id: {shown or 'the key sees none, give it a role in one'}"
        )
        raise CannotSetUp(message)


def uncovered_spaces(spaces: Collection[Space], *, of: str) -> tuple[str, ...]:
    """Return the visible spaces, sorted, whose runs a policy in space `of` does not see.

    A policy acts on its own space and on those below that inherit, each one from its parent.
    """
    known = {space.id: space for space in spaces}
    return tuple(sorted(name for name in known if not _is_covered(name, known, of)))


def _is_covered(name: str, known: dict[str, Space], of: str) -> bool:
    seen: set[str] = set()
    while name != of:
        space = known.get(name)
        if space is None or not space.inherits or space.parent is None or name in seen:
            return False
        seen.add(name)
        name = space.parent
    return True


def _check_type(policy: Policy) -> None:
    if policy.type != notification_policy.TYPE:
        message = (
            f"the policy {policy.name} is of type {policy.type} and serves something else; choose "
            "another --name"
        )
        raise CannotSetUp(message)


def _marked(labels: Iterable[str], mark: str) -> tuple[str, ...]:
    """Return the labels with this mark as the only one; those of people stay."""
    return (*(label for label in labels if not label.startswith(_MARK_PREFIX)), mark)


def _webhook_differences(found: Webhook, wanted: Webhook) -> Iterable[str]:
    if found.endpoint != wanted.endpoint:
        yield f"endpoint {found.endpoint} -> {wanted.endpoint}"
    if not found.enabled:
        yield "enabled again"
    if not found.retry_on_failure:
        yield "retries on failure"
    if found.space != wanted.space:
        yield f"space {found.space} -> {wanted.space}"
    if set(found.labels) != set(wanted.labels):
        yield "secret"


def _policy_differences(found: Policy, wanted: Policy) -> Iterable[str]:
    if found.body != wanted.body:
        yield "body"
    if found.description != wanted.description:
        yield "description"
    if found.space != wanted.space:
        yield f"space {found.space} -> {wanted.space}"


def _lines(text: str) -> list[str]:
    """Return the lines without what an editor or a form may change about their ends."""
    return [line.rstrip() for line in text.strip().splitlines()]
