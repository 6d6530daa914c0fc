"""`python -m devenv`: the local environment of whoever works on StackChain, or tries it."""

import sys

from devenv import cli

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
