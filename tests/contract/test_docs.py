"""The pages under docs/ say what the code says: tables are generated, and reasons are real."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from controller.api import reasons, transition_kinds, v1alpha1
from controller.config import settings
from controller.notify import payloads, sinks, templates
from controller.observability import metrics
from controller.plugin import arguments, exit_codes
from tests.support.builders import make_notification

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "controller"
# Packages that show what others wrote into a status.
READERS = {"dev", "display", "plugin"}
ENUMS = ("ChainReason", "StackReason", "ConditionReason", "TransitionKind")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The program that writes the tables, which is not part of the package."""
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "hack/generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def table(name: str, marker: str) -> list[list[str]]:
    """Return the rows of a table as a reader of the page sees them."""
    block = page(name).split(f"<!-- generated: {marker} -->")[1].split("<!-- end -->")[0]
    _, _, *lines = [line for line in block.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


# Tables


def test_no_table_is_stale(generator: ModuleType) -> None:
    """If it fails: python hack/generate_docs.py."""
    assert generator.stale_pages() == []


@pytest.mark.parametrize(
    ("marker", "meanings"),
    [("chain-reasons", reasons.CHAIN_MEANINGS), ("stack-reasons", reasons.STACK_MEANINGS)],
)
def test_every_reason_is_on_the_page_with_what_to_do(
    marker: str, meanings: dict[str, reasons.ReasonMeaning]
) -> None:
    assert table("status.md", marker) == [
        [f"`{reason}`", meaning.means, meaning.do] for reason, meaning in meanings.items()
    ]


def test_reasons_of_the_other_conditions_are_on_the_page() -> None:
    for reason in reasons.ConditionReason:
        assert f"`{reason}`" in page("status.md")


def test_every_event_is_on_the_page_with_its_type() -> None:
    shown = [row[:2] for row in table("status.md", "events")]

    assert shown == [
        [meaning.event_reason or f"`{kind}`", "Warning" if meaning.is_warning else "Normal"]
        for kind, meaning in transition_kinds.MEANINGS.items()
    ]
    assert set(transition_kinds.MEANINGS) == set(transition_kinds.TransitionKind)


def test_every_transition_that_a_sink_may_ask_for_is_on_the_page() -> None:
    shown = [row[0] for row in table("notifications.md", "transitions")]

    assert shown == [f"`{kind}`" for kind in transition_kinds.TransitionKind]


def test_every_placeholder_is_on_the_page() -> None:
    shown = [row[0] for row in table("notifications.md", "placeholders")]

    assert shown == [f"`${{{name}}}`" for name in templates.PLACEHOLDERS]


def test_every_example_of_sinks_is_a_file_that_works() -> None:
    blocks = re.findall(r"```yaml\n(sinks:.*?)```", page("notifications.md"), re.DOTALL)

    found = [sinks.parse_sinks(yaml.safe_load(block), "example") for block in blocks]

    assert len(found) >= 5
    assert {sink.type for example in found for sink in example.values()} == set(sinks.SinkType)
    told = make_notification()
    assert all(payloads.payload(s, told).body for example in found for s in example.values())


def test_every_setting_is_on_the_page_once() -> None:
    shown = [row[0] for row in table("configuration.md", "settings")]

    assert shown == [f"`{row.variable}`" for row in settings.describe_settings()]
    assert len(set(shown)) == len(shown)


def test_every_metric_is_on_the_page() -> None:
    shown = [row[:2] for row in table("metrics.md", "metrics")]

    assert shown == [[f"`{row.name}`", row.type] for row in metrics.describe_metrics()]


# The kubectl plugin


def test_every_annotation_is_on_the_page() -> None:
    rows = re.findall(r"^\| `(stackchain\.dev/\w+)`", page("annotations.md"), re.MULTILINE)

    others = {v1alpha1.INSTALLATION_ANNOTATION, v1alpha1.RESTORED_ANNOTATION}
    assert sorted(rows) == sorted({*v1alpha1.TOKENS, *others})


def test_every_command_of_the_plugin_is_on_its_page() -> None:
    table = page("kubectl-plugin.md").partition("## Commands")[2].partition("The rights are")[0]
    shown = re.findall(r"^\| \[?`([a-z]+)[ `]", table, re.MULTILINE)

    assert sorted(shown) == sorted(command.name for command in arguments.COMMANDS)


def test_every_exit_code_of_the_plugin_is_on_its_page() -> None:
    shown = re.findall(r"^\| ([0-9]+) \|", page("kubectl-plugin.md"), re.MULTILINE)

    assert [int(code) for code in shown] == [code.value for code in exit_codes.ExitCode]


# The generator


def test_a_changed_table_is_stale_until_it_is_written_again(
    generator: ModuleType, tmp_path: Path
) -> None:
    generator.write_pages(tmp_path)
    path = tmp_path / "status.md"
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace("`GraphCycle`", "`Loop`"), encoding="utf-8")

    assert generator.stale_pages(tmp_path) == ["status.md"]
    generator.write_pages(tmp_path)
    assert generator.stale_pages(tmp_path) == []
    assert path.read_text(encoding="utf-8") == written


def test_what_people_wrote_around_a_table_stays(generator: ModuleType, tmp_path: Path) -> None:
    text = "# Title\n\nBefore.\n\n<!-- generated: settings -->\nold\n<!-- end -->\n\nAfter.\n"

    rendered = generator.render("configuration.md", text)

    assert rendered.startswith("# Title\n\nBefore.\n\n<!-- generated: settings -->\n\n| variable ")
    assert rendered.endswith("|\n\n<!-- end -->\n\nAfter.\n")


@pytest.mark.parametrize(
    "text", ["no marker", "<!-- generated: other -->\n<!-- end -->\n"], ids=["none", "unknown"]
)
def test_a_page_without_its_markers_is_an_error(generator: ModuleType, text: str) -> None:
    with pytest.raises(generator.MarkersMissing, match=r"docs/configuration\.md"):
        generator.render("configuration.md", text)


# Reasons


@pytest.fixture(scope="module")
def used_reasons() -> set[tuple[str, str]]:
    """Return which members of which enumeration the product names where none is defined."""
    return {
        use
        for path in PRODUCT.rglob("*.py")
        if path.relative_to(PRODUCT).parts[0] not in {"api", *READERS}
        for use in _uses(ast.parse(path.read_text(encoding="utf-8")))
    }


def _uses(tree: ast.Module) -> Iterator[tuple[str, str]]:
    aliases = {(name, name) for name in ENUMS} | set(_aliases(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            for alias, enumeration in aliases:
                if _last_name(node.value) == alias:
                    yield enumeration, node.attr


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Follow `Reason = reasons.ChainReason`, in tuples as well."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for name, value in zip(names, values, strict=False):
            if isinstance(name, ast.Name) and _last_name(value) in ENUMS:
                yield name.id, _last_name(value)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize(
    ("enumeration", "member"),
    [
        (enumeration.__name__, member.name)
        for enumeration in (
            reasons.ChainReason,
            reasons.StackReason,
            reasons.ConditionReason,
            transition_kinds.TransitionKind,
        )
        for member in enumeration
    ],
)
def test_every_documented_reason_can_occur(
    used_reasons: set[tuple[str, str]], enumeration: str, member: str
) -> None:
    assert (enumeration, member) in used_reasons


# Paths in the code

PAGES_OF_THE_CODE = [
    "glossary.md",
    "development.md",
    *sorted(f"adr/{path.name}" for path in (ROOT / "docs/adr").glob("*.md")),
]


@pytest.mark.parametrize("name", PAGES_OF_THE_CODE)
def test_paths_of_the_product_exist(name: str) -> None:
    paths = re.findall(r"`(controller/[\w./-]*)[^`\n]*`", page(name))

    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_files_of_typical_changes_exist() -> None:
    """If it fails: a file was moved or renamed, and docs/development.md still has its old name."""
    section = page("development.md").split("## Typical changes")[1].split("\n## ")[0]
    paths = re.findall(r"(?:controller|devenv|tests|charts|crds|docs|hack)/[\w./-]*\w", section)

    assert len(paths) > 50
    assert sorted({path for path in paths if not (ROOT / path).exists()}) == []


@pytest.mark.parametrize("name", ["architecture.md", "pictures/architecture.svg"])
def test_the_architecture_names_modules_that_exist(name: str) -> None:
    """Both name modules from the package on, so that they fit: `operator/gatherer`."""
    rooms = [path.name for path in (ROOT / "controller").iterdir() if path.is_dir()]
    of_room = "|".join(room for room in rooms if room.isidentifier())
    named = re.findall(rf"(?<![\w./-])(?:{of_room})/[a-z_\d/]*[a-z\d](?![\w/.])", page(name))
    found = {path for path in named if module_exists(path)}

    assert len(found) > 5
    assert sorted(set(named) - found) == []


def module_exists(path: str) -> bool:
    place = ROOT / "controller" / path
    return place.is_dir() or place.with_suffix(".py").is_file()


def test_the_index_lists_each_decision_under_a_number_of_its_own() -> None:
    titles = {
        path.name: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted((ROOT / "docs/adr").glob("*.md"))
    }
    listed = re.findall(r"^- \[(\d{4} .*)\]\(adr/(.*)\)$", page("README.md"), flags=re.MULTILINE)

    assert [(name, title) for title, name in listed] == list(titles.items())
    assert len({name[:4] for name in titles}) == len(titles)
    assert all(title.startswith(f"{name[:4]} ") for name, title in titles.items())


@pytest.mark.parametrize("page_name", [p.name for p in sorted((ROOT / "docs/adr").glob("*.md"))])
def test_code_that_an_adr_explains_links_to_it(page_name: str) -> None:
    """The link is `ADR 0007`, in a docstring or a comment."""
    number = page_name[:4]
    linking = re.compile(rf"ADR (\d{{4}}(,| and) )*{number}")
    texts = [ROOT / "pyproject.toml"]
    for folder in ("controller", "devenv", "hack", "tests/workflows"):
        texts += sorted((ROOT / folder).rglob("*.py"))

    assert any(linking.search(text.read_text(encoding="utf-8")) for text in texts)


def test_the_glossary_names_classes_that_are_where_it_says() -> None:
    mentions = re.findall(r"`(controller/[\w./]+\.py)`(?: \(([^)]+)\))?", page("glossary.md"))
    named = [
        (path, name) for path, names in mentions for name in re.findall(r"`(\w+)`", names or "")
    ]

    assert len(named) > 10
    missing = [
        (path, name)
        for path, name in named
        if f"class {name}" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_the_glossary_names_fields_of_the_definition() -> None:
    definition = yaml.safe_load(
        (ROOT / "crds/stackchains.stackchain.dev.yaml").read_text(encoding="utf-8")
    )
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    fields = re.findall(r"`((?:spec|status)(?:\.[\w\[\]]+)*)`", page("glossary.md"))

    def exists(field: str) -> bool:
        found = schema
        for part in field.split("."):
            found = found.get("properties", {}).get(part.removesuffix("[]"))
            if found is None:
                return False
            found = found["items"] if part.endswith("[]") else found
        return True

    assert fields
    assert [field for field in fields if not exists(field)] == []
