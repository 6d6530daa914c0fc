"""`python -m devenv`: the local environment for people who develop StackChain, or try it."""

import sys

from devenv import cli

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
