"""The documents of webhooks and policies, in a scenario and in the admin API."""

from typing import Literal
from urllib.parse import urlsplit

import pydantic

from devenv.simulator.model.behavior import StrictModel


class WebhookSpec(StrictModel):
    """A webhook; a named one comes with a policy that sends it the runs of its space."""

    kind: Literal["stack", "named", "audit"] = "named"
    endpoint: str
    secret: str = ""
    enabled: bool = True
    retry_on_failure: bool = False
    headers: dict[str, str] = pydantic.Field(default={})
    stack: str | None = None
    """For `stack`: the stack, required."""

    name: str = "stackchain"
    """For `named`: its name; its id is the slug of it."""

    space: str = "root"
    labels: list[str] = pydantic.Field(default=[])
    policy: Literal["default", "documented", "none"] = "default"
    """For `named`: what the policy sends: the default payload or that of our documentation."""

    include_runs: bool = True
    """For `audit`: whether it hears of runs as well."""

    @pydantic.field_validator("endpoint")
    @classmethod
    def _is_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an endpoint is an http or https URL")
        return value

    @pydantic.model_validator(mode="after")
    def _stack_fits(self) -> "WebhookSpec":
        if (self.kind == "stack") is not (self.stack is not None):
            raise ValueError("a webhook of kind stack names its stack, others do not")
        return self


class WebhookChange(StrictModel):
    """What to change of a webhook; what is left out stays."""

    endpoint: str | None = None
    secret: str | None = None
    enabled: bool | None = None
    retry_on_failure: bool | None = None


class PolicySpec(StrictModel):
    """A policy."""

    name: str
    body: str
    type: str = "NOTIFICATION"
    space: str = "root"
    labels: list[str] = pydantic.Field(default=[])
