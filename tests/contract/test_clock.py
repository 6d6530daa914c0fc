import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
READS = {"time.time", "time.monotonic", "time.perf_counter", "datetime.now", "datetime.utcnow"}


def readers(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            read = ".".join(ast.unparse(node).split(".")[-2:])
            if read in READS:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {read}"


def test_the_time_is_read_in_one_module_so_that_a_simulation_can_set_it() -> None:
    found = [
        line
        for path in sorted((ROOT / "controller").rglob("*.py"))
        if path.name != "clock.py"
        for line in readers(path)
    ]

    assert found == []
    assert len(list(readers(ROOT / "controller" / "clock.py"))) == 2
