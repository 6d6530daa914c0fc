"""`python -m devenv.simulator`."""

import sys

from devenv.simulator import cli

if __name__ == "__main__":
    sys.exit(cli.main())
