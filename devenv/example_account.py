"""The simulated account that comes with the local environment: the stacks of examples/."""

from pathlib import Path

FILE = Path(__file__).with_name("example_account.yaml")
