"""A real Rego engine for tests of policies: Microsoft's rego-cpp."""

import json
from typing import Any

import regopy


def evaluate(policy: str, rule: str, document: object) -> Any:
    """Return the value of a rule of the package `spacelift` for an input document.

    Raises:
        ValueError: the rule has no value, because it is not there or fails.
        regopy.RegoError: the policy cannot be compiled.
    """
    engine = regopy.Interpreter()
    engine.add_module("policy.rego", policy)
    engine.set_input(document)
    answer = engine.query(f"data.spacelift.{rule}")
    if not answer.ok():
        raise ValueError(str(answer))
    (value,) = json.loads(str(answer))["expressions"]
    return value
