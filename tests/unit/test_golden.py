from pathlib import Path

import pytest

from tests.support import golden

MODULE, OTHER = "tests/unit/test_one.py", "tests/unit/test_two.py"


class Suite:
    """A folder of golden files, and two modules that name a page."""

    def __init__(self, folder: Path) -> None:
        self.tests, self.folder = folder / "tests", folder / "tests" / "golden"
        (self.tests / "unit").mkdir(parents=True)
        (folder / MODULE).write_text('PAGE = "page"\n')
        (folder / OTHER).write_text('    golden("page").check("two", text)\n')
        self.writes(one="a", two="b\n\nc")

    def writes(self, *, has_passed: bool = True, without: str = "", **texts: str) -> None:
        run = self.run(without=without)
        for case, text in texts.items():
            golden.Page("page", run, is_updating=True, folder=self.folder).check(case, text)
        golden.write(run, has_passed=has_passed, folder=self.folder, tests=self.tests)

    def run(self, *, without: str = "") -> golden.Checked:
        return golden.Checked(modules={MODULE, OTHER}, incomplete={without} if without else set())

    def check(self, case: str, text: str, run: golden.Checked | None = None) -> None:
        page = golden.Page("page", run or self.run(), is_updating=False, folder=self.folder)
        page.check(case, text)

    def unused(self, run: golden.Checked) -> list[tuple[str, str]]:
        return list(golden.find_unused(run, folder=self.folder, tests=self.tests))


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def test_what_was_written_is_compared(suite: Suite) -> None:
    suite.check("one", "a")
    suite.check("two", "b\n\nc")
    with pytest.raises(AssertionError, match="reads otherwise"):
        suite.check("two", "b\n\nd")
    with pytest.raises(AssertionError, match="no text for"):
        suite.check("three", "")


def test_what_no_test_of_a_whole_run_checks_is_found_and_removed(suite: Suite) -> None:
    run = suite.run()
    suite.check("one", "a", run)

    assert suite.unused(run) == [("page", "two")]
    suite.writes(one="new")
    suite.check("one", "new")
    with pytest.raises(AssertionError, match="no text for"):
        suite.check("two", "b\n\nc")


@pytest.mark.parametrize(
    "run",
    [
        pytest.param({"without": OTHER}, id="some tests of a module did not run"),
        pytest.param({"has_passed": False}, id="a test failed"),
    ],
)
def test_a_run_that_is_not_whole_removes_nothing(suite: Suite, run: dict[str, str]) -> None:
    suite.writes(one="new", **run)

    suite.check("one", "new")
    suite.check("two", "b\n\nc")


def test_a_module_that_did_not_run_may_check_what_others_do_not(suite: Suite) -> None:
    run = golden.Checked(modules={MODULE})

    assert suite.unused(run) == []
    run.add(golden.Checked(texts={"page": {"one": "a"}}, modules={OTHER}))
    assert suite.unused(run) == [("page", "two")]


def test_a_page_that_no_module_names_is_unused(suite: Suite) -> None:
    (suite.folder / "old.txt").write_text("=== case\ntext\n")

    assert ("old", golden.WHOLE_PAGE) in suite.unused(golden.Checked())
    suite.writes(one="a", two="b")
    assert not (suite.folder / "old.txt").exists()


def test_what_differs_from_run_to_run_is_replaced() -> None:
    text = "prod-x1  2026-03-01T10:00:00Z  272d08h ago  10m00s\n"

    assert golden.without_times(text, {"prod-x1": "NAME"}) == "NAME  TIME DURATION ago DURATION"
