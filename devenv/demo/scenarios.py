"""Where the simulated account of the demo is described; `python -m devenv` begins with it too."""

from pathlib import Path

ACCOUNT = Path(__file__).with_name("scenario.yaml")
