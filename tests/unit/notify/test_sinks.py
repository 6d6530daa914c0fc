"""The notifications file: what it says, which sinks hear of what, and every mistake by name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.api.transition_kinds import TransitionKind
from controller.config import environment
from controller.notify import sinks
from tests.support.golden import Golden

URL = "https://hooks.example.com/services/T0/B0/hushhush"
SLACK = {"name": "ops", "type": "Slack", "url": URL, "transitions": ["RunFailed"]}
EVENTS = {"name": "broker", "type": "CloudEvents", "url": URL, "transitions": ["RunFailed"]}


def parse(*entries: Any) -> dict[str, sinks.Sink]:
    return sinks.parse_sinks({"sinks": list(entries)}, "n.yaml")


def problems(*entries: Any) -> list[str]:
    with pytest.raises(environment.SettingsError) as caught:
        parse(*entries)
    return list(caught.value.problems)


def test_a_sink_is_read_with_all_its_fields(tmp_path: Path) -> None:
    secret = tmp_path / "authorization"
    secret.write_text("Bearer hushhush\n")
    entry = {
        **EVENTS,
        "transitions": ["RunFailed", "stackfailed", "RunFailed"],
        "namespaces": ["team-a"],
        "matchLabels": {"tier": "prod"},
        "headers": {"X-Team": "infra"},
        "headerFiles": {"Authorization": str(secret)},
        "template": [{"text": "${title}"}],
        "timeoutSeconds": 3,
    }

    sink = parse(entry)["broker"]

    assert sink.type is sinks.SinkType.CLOUD_EVENTS
    assert set(sink.transitions) == {TransitionKind.RUN_FAILED, TransitionKind.STACK_FAILED}
    assert (sink.namespaces, sink.match_labels) == (["team-a"], {"tier": "prod"})
    assert (sink.template, sink.timeout_seconds) == ([{"text": "${title}"}], 3)
    target = sink.read_target()
    assert (target.url, target.headers) == (
        URL,
        {"X-Team": "infra", "Authorization": "Bearer hushhush"},
    )


def test_what_is_secret_does_not_show() -> None:
    sink = parse({**SLACK, "headers": {"X-Key": "hushhush"}})["ops"]

    assert "hushhush" not in repr(sink) + repr(sink.read_target())


@pytest.mark.parametrize(
    ("fields", "namespace", "labels", "is_wanted"),
    [
        ({}, "team-a", {}, True),
        ({"transitions": ["RunSucceeded"]}, "team-a", {}, False),
        ({"namespaces": ["team-a", "team-b"]}, "team-b", {}, True),
        ({"namespaces": ["team-a", "team-b"]}, "team-c", {}, False),
        ({"matchLabels": {"tier": "prod"}}, "team-a", {"tier": "prod", "x": "y"}, True),
        ({"matchLabels": {"tier": "prod"}}, "team-a", {"tier": "test"}, False),
        ({"matchLabels": {"tier": "prod"}}, "team-a", {}, False),
        ({"matchLabels": {"tier": "prod", "x": "y"}}, "team-a", {"tier": "prod"}, False),
    ],
)
def test_a_sink_wants_its_transitions_where_all_filters_let_them_through(
    fields: dict[str, Any], namespace: str, labels: dict[str, str], is_wanted: bool
) -> None:
    sink = parse({**SLACK, **fields})["ops"]

    assert sink.wants(TransitionKind.RUN_FAILED, namespace, labels) is is_wanted


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("no name", {"name": None}),
        ("a name that cannot be one", {"name": "Ops!"}),
        ("no type", {"type": None}),
        ("an unknown type", {"type": "Mail"}),
        ("no transitions", {"transitions": None}),
        ("no transition", {"transitions": []}),
        ("a transition that is no list", {"transitions": "RunFailed"}),
        ("an unknown transition", {"transitions": ["RunFailed", "Failed"]}),
        ("no URL", {"url": None}),
        ("a URL and its file", {"urlFile": "/x"}),
        ("a URL of another scheme", {"url": "ftp://x/hushhush"}),
        ("a URL of two lines", {"url": "https://x/\nhushhush"}),
        ("a URL with a user", {"url": "https://u:hushhush@x"}),
        ("half a URL", {"url": "http://[hushhush"}),
        ("a number for a URL", {"url": 1}),
        ("no namespace", {"namespaces": []}),
        ("a namespace that cannot be one", {"namespaces": ["A"]}),
        ("labels that are no map", {"matchLabels": ["a"]}),
        ("a label that is no string", {"matchLabels": {"a": 1}}),
        ("a header name that cannot be one", {"headers": {"a b": "hushhush"}}),
        ("a header of two lines", {"headers": {"X": "a\nhushhush"}}),
        ("a header that is no string", {"headers": {"X": 1}}),
        ("a header of ours", {"headers": {"Content-Type": "a"}}),
        ("a header of CloudEvents", {"headerFiles": {"ce-id": "/x"}}),
        ("a header twice", {"headers": {"X-Key": "a"}, "headerFiles": {"x-key": "/x"}}),
        ("an unknown placeholder", {"template": "${oops}"}),
        ("an unknown placeholder inside", {"template": {"a": ["${oops}"]}}),
        ("half a placeholder", {"template": "${title"}),
        ("too long a time-out", {"timeoutSeconds": 31}),
        ("a time-out that is no number", {"timeoutSeconds": True}),
        ("`on`, which YAML takes for true", {True: ["RunFailed"]}),
        ("an unknown field", {"colour": "hushhush"}),
        ("a misspelled field", {"urlfile": "hushhush"}),
        ("several mistakes", {"type": "Mail", "url": None, "timeoutSeconds": 0}),
    ],
)
def test_a_mistake_is_reported_with_its_path_and_what_to_do_and_without_a_secret(
    changes: dict[Any, Any], case: str, golden: Golden
) -> None:
    entry = {key: value for key, value in {**SLACK, **changes}.items() if value is not None}

    said = "\n".join(problems(entry))

    golden("sinks").check(case, said)
    assert "hushhush" not in said


def test_all_mistakes_are_reported_at_once(golden: Golden) -> None:
    found = problems(SLACK, {**SLACK, "type": "Mail"}, "text")

    golden("sinks").check("mistakes in several entries", "\n".join(found))


@pytest.mark.parametrize(
    ("case", "document"),
    [
        ("an empty file", None),
        ("a file that is a list", []),
        ("sinks that are no list", {"sinks": {}}),
        ("a misspelled list", {"sink": []}),
    ],
)
def test_a_file_without_a_list_of_sinks_is_a_mistake(
    case: str, document: object, golden: Golden
) -> None:
    with pytest.raises(environment.SettingsError) as caught:
        sinks.parse_sinks(document, "n.yaml")

    golden("sinks").check(case, "\n".join(caught.value.problems))


@pytest.mark.parametrize("content", ["x\ny", "", "ftp://x", "https://x/\x01"])
def test_a_file_with_an_unusable_secret_names_the_file_and_not_what_is_in_it(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "url"
    file.write_text(content)
    entry = {key: SLACK[key] for key in ("name", "type", "transitions")} | {"urlFile": str(file)}
    sink = parse(entry)["ops"]

    with pytest.raises(environment.SettingsError) as caught:
        sink.read_target()

    assert str(file) in str(caught.value)
    assert not content or content not in str(caught.value)


def test_a_header_of_two_lines_is_refused_when_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "header"
    file.write_text("hush\nX-Other: hush")
    sink = parse({**SLACK, "headerFiles": {"X-Key": str(file)}})["ops"]

    with pytest.raises(environment.SettingsError, match="the value must be one line") as caught:
        sink.read_target()

    assert "hush" not in str(caught.value)


# The file


def write(path: Path, *entries: Any) -> None:
    changed = path.with_suffix(".new")
    changed.write_text(yaml.safe_dump({"sinks": list(entries)}))
    changed.rename(path)


def test_a_file_that_changes_is_read_again_and_a_bad_one_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "n.yaml"
    write(path, SLACK)
    catalog = sinks.SinkCatalog(path)
    before = list(catalog.all())
    write(path, SLACK, EVENTS)
    both = catalog.wanting(TransitionKind.RUN_FAILED, "team-a", {})
    write(path, {**SLACK, "type": "Mail"})

    assert before == ["ops"]
    assert both == ["broker", "ops"]
    assert sorted(catalog.all()) == ["broker", "ops"]
    assert caplog.messages == ["Sinks file is not usable, keeping the sinks read before"]
    assert "hushhush" not in caplog.text
    path.unlink()
    assert sorted(catalog.all()) == ["broker", "ops"]


def test_a_file_that_is_no_yaml_is_told_by_line_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text("sinks:\n- url: [hushhush\n")

    with pytest.raises(environment.SettingsError, match=r"is not valid YAML at line \d") as caught:
        sinks.SinkCatalog(path)

    assert "hushhush" not in str(caught.value)


def test_without_a_file_there_are_no_sinks() -> None:
    catalog = sinks.SinkCatalog(None)

    assert catalog.all() == {}
    assert catalog.target_problems() == []


def test_files_that_a_worker_cannot_read_are_told_with_their_sinks(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    missing = tmp_path / "missing"
    write(
        path,
        SLACK,
        {"name": "x", "type": "Slack", "transitions": ["Problem"], "urlFile": str(missing)},
    )

    found = sinks.SinkCatalog(path).target_problems()

    assert [line.split(" (")[0] for line in found] == [f"sink x: {missing}: cannot be read"]
