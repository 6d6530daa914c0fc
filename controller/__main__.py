"""`python -m controller` is the console script `stackchain`."""

from controller import cli

if __name__ == "__main__":
    cli.main()
