"""Where the simulated account of the demo is described; `stackchain dev` begins with it too."""

from pathlib import Path

ACCOUNT = Path(__file__).with_name("scenario.yaml")
