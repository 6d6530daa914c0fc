"""`python -m controller.dev.simulator`."""

import sys

from controller.dev.simulator import cli

if __name__ == "__main__":
    sys.exit(cli.main())
