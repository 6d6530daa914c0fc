"""The options of `stackchain webhook setup`.

Apart from what it does: each role reads its command line, and need not load the client of Spacelift
for that, which takes 20 MiB.
"""

import argparse

from controller.config import connection_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--url",
        help=f"where Spacelift reaches `stackchain webhook`; "
        f"{connection_names.webhook_path('CONNECTION')} is added if it has no path",
    )
    parser.add_argument(
        "--connection",
        metavar="NAME",
        default=connection_names.DEFAULT_CONNECTION,
        help="the Spacelift connection (default: %(default)s)",
    )
    parser.add_argument(
        "--name",
        default="stackchain",
        help="name of the webhook and of the policy in Spacelift (default: %(default)s)",
    )
    parser.add_argument(
        "--space",
        metavar="ID",
        help="space of both; runs of this space and of spaces that inherit from it are sent "
        "(default: where they are, or root if they are new)",
    )
    parser.add_argument("--remove", action="store_true", help="remove both")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, but change nothing"
    )
    parser.add_argument("--insecure", action="store_true", help="allow a URL without https")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
