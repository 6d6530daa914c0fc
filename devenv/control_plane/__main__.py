"""Gets the programs of the control plane ready, so that what needs them later does not wait."""

import asyncio
import sys

from devenv import settings, tools
from devenv.control_plane import sources


def main() -> int:
    """Make the programs, unless they are there already, and say where they come from."""
    try:
        dev = settings.load_dev_settings()
        binaries = asyncio.run(
            sources.obtain(
                kubebuilder_assets=dev.kubebuilder_assets, cache_dir=dev.cache_dir, say=_say
            )
        )
    except (tools.DevError, settings.SettingsError) as error:
        _say(f"stackchain: {error}")
        return 1
    _say(f"Control plane: {binaries.source}")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
