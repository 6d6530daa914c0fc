from typing import Any

from controller.ui.page_documents import change_between, shown_resource


def detail(stacks: object, **more: object) -> dict[str, Any]:
    status = {"latestRun": {"number": 1}, "stacks": stacks}
    resource = {"metadata": {"name": "a", "uid": "u"}, "status": status}
    return {"resource": resource, "state": "running", "advice": {}, "meanings": {}} | more


def test_a_change_has_only_the_stacks_that_changed_and_names_those_that_are_gone() -> None:
    old = detail([{"id": "a", "phase": "Running"}, {"id": "b"}, {"id": "c"}])
    new = detail([{"id": "a", "phase": "Failed"}, {"id": "b"}, {"id": "d"}], state="failed")

    change = change_between(old, new)

    assert change["stacks"] == [{"id": "a", "phase": "Failed"}, {"id": "d"}]
    assert change["removed"] == ["c"]
    assert change["detail"]["state"] == "failed"
    assert change["detail"]["resource"]["status"] == {"latestRun": {"number": 1}}
    assert "advice" not in change["detail"]


def test_advice_that_is_no_longer_given_is_taken_back() -> None:
    old = detail([], advice={"a": {"do": "x"}, "b": {"do": "y"}})
    new = detail([], advice={"b": {"do": "z"}})

    assert change_between(old, new)["advice"] == {"a": None, "b": {"do": "z"}}


def test_a_meaning_that_is_known_is_not_sent_again() -> None:
    old = detail([], meanings={"RunFailed": {"do": "x"}})
    new = detail([], meanings={"RunFailed": {"do": "x"}, "Kept": {"do": "y"}})

    change = change_between(old, new)

    assert change["meanings"] == {"Kept": {"do": "y"}}
    assert "meanings" not in change["detail"]


def test_stacks_of_a_status_that_is_not_as_it_should_be_are_left_out() -> None:
    assert change_between(detail("text"), detail([7, {"id": "a"}]))["stacks"] == [{"id": "a"}]


def test_what_is_shown_of_a_resource_holds_no_spec_and_no_annotation() -> None:
    body = {
        "metadata": {
            "name": "a",
            "namespace": "n",
            "uid": "u",
            "annotations": {"secret": "x"},
            "managedFields": [{}],
        },
        "spec": {"suspend": True, "runtimeEnvironment": [{"name": "TOKEN", "value": "x"}]},
        "status": {"lastHandled": {"run": "x"}, "stacks": []},
    }

    assert shown_resource(body) == {
        "metadata": {"name": "a", "namespace": "n", "uid": "u"},
        "status": {"stacks": []},
    }


def test_a_resource_of_anything_is_shown_as_far_as_it_goes() -> None:
    assert shown_resource({"metadata": {"name": "a"}, "spec": 7, "status": None}) == {
        "metadata": {"name": "a"},
        "status": {},
    }
