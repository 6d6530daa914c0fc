"""`python -m tests.pictures.drawn FOLDER`: writes the documentation's drawings."""

import sys
from pathlib import Path

from tests.pictures import architecture, life_of_a_chain

DRAWINGS = {
    "architecture.svg": architecture.draw,
    "life-of-a-chain.svg": life_of_a_chain.draw,
}


def write(folder: Path) -> None:
    """Write all drawings into a folder."""
    for name, draw in DRAWINGS.items():
        (folder / name).write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
