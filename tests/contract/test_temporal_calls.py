"""What the product asks Temporal directly, since the SDK has no method for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def calls(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each call of Temporal's service with the names of its arguments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        service = ast.unparse(node.func.value).rpartition(".")[2]
        if service in ("workflow_service", "operator_service"):
            place = f"{path.relative_to(ROOT)}:{node.lineno}: {node.func.attr}"
            yield place, {item.arg or "" for item in node.keywords}


def test_what_is_asked_is_asked_again_or_has_a_time_out_of_its_own() -> None:
    """Temporal ends each connection after some minutes, and cancels what is sent just then.

    `retry=True` asks again, as all methods of the SDK do; by default nothing does.
    """
    found = dict(
        item for path in sorted((ROOT / "controller").rglob("*.py")) for item in calls(path)
    )

    assert len(found) > 5
    assert [place for place, named in found.items() if not named & {"retry", "timeout"}] == []
