"""The catalog of Spacelift connections: what a file may say, and what happens when it changes."""

import os
from pathlib import Path

import pytest

from controller.config import connections, permissions, settings
from tests.support.golden import Golden

GOOD = """
connections:
  default:
    endpoint: https://acme.app.spacelift.io/
    allowedNamespaces: ["*"]
  staging:
    endpoint: https://acme-staging.app.spacelift.io/graphql
    apiKeyIdFile: {directory}/id
    apiKeySecretFile: {directory}/secret
    allowedNamespaces: [team-b, team-a]
"""


MINIMAL = "connections: {a: {endpoint: https://a, allowedNamespaces: []"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "connections.yaml"
    path.write_text(GOOD.format(directory=tmp_path))
    return path


def catalog(file: Path | None, **fields: object) -> connections.ConnectionCatalog:
    return connections.ConnectionCatalog(
        settings.SpaceliftSettings(connections_file=file, **fields)  # type: ignore[arg-type]
    )


def replace(file: Path, text: str) -> None:
    """Change a file as the kubelet does: a new one replaces the old one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)  # noqa: PTH105 - the very call that makes it atomic


def get(found: connections.ConnectionCatalog, name: str) -> connections.Connection:
    connection = found.get(name)
    assert connection is not None
    return connection


def test_connections_come_with_their_permissions(file: Path) -> None:
    found = catalog(file)

    staging = get(found, "staging")
    assert found.names() == ["default", "staging"]
    assert found.get("other") is None
    assert staging.endpoint == "https://acme-staging.app.spacelift.io"
    assert staging.allowed.namespaces == ("team-a", "team-b")


def test_a_connection_has_to_say_whom_it_serves() -> None:
    with pytest.raises(settings.SettingsError, match=r"allowedNamespaces: is missing; add it"):
        connections.parse_connections({"connections": {"a": {"endpoint": "https://a"}}}, "test")


def test_what_is_not_said_allows_all_but_to_destroy() -> None:
    entry = {"endpoint": "https://a.example", "allowedNamespaces": ["*"]}

    found = connections.parse_connections({"connections": {"a": entry}}, "test")["a"]

    assert found.allowed == permissions.Permissions(namespaces=("*",))


def test_all_that_is_allowed_comes_from_the_file() -> None:
    entry = {
        "endpoint": "https://a.example",
        "allowedNamespaces": ["team-b", "team-a"],
        "allowedOperations": ["destroy"],
        "allowedConfirmationPolicies": ["stackdefault"],
        "allowedVariables": ["TF_LOG"],
        "allowCommitSHA": False,
        "allowedStackIds": [],
        "allowedStackLabels": ["team:a"],
    }

    found = connections.parse_connections({"connections": {"a": entry}}, "test")["a"]

    assert found.allowed == permissions.Permissions(
        namespaces=("team-a", "team-b"),
        operations=("Destroy",),
        confirmation_policies=("StackDefault",),
        variables=("TF_LOG",),
        allows_commit=False,
        stack_ids=(),
        stack_labels=("team:a",),
    )


@pytest.mark.parametrize("limit", [100, 6000, None])
def test_requests_are_limited_only_if_the_file_says_so(limit: int | None) -> None:
    entry = {"endpoint": "https://a.example", "allowedNamespaces": ["*"]}

    limited = connections.parse_connections(
        {"connections": {"a": entry | {"requestsPerMinute": limit}, "b": entry}}, "test"
    )

    assert limited["a"].requests_per_minute == limit
    assert limited["b"].requests_per_minute is None


def test_the_operator_needs_no_key_files(file: Path) -> None:
    """The chart mounts the list into the operator, and the keys only into the worker."""
    assert get(catalog(file), "staging").endpoint

    with pytest.raises(settings.SettingsError, match="mount the secret there"):
        get(catalog(file), "staging").read_api_key()
    with pytest.raises(settings.SettingsError, match="no API key in this process"):
        get(catalog(file), "default").read_api_key()


def test_keys_are_read_at_each_use(file: Path) -> None:
    (file.parent / "id").write_text("id-1")
    (file.parent / "secret").write_text("old")
    staging = get(catalog(file), "staging")
    assert staging.read_api_key() == connections.ApiKey(key_id="id-1", secret="old")

    replace(file.parent / "secret", "new")

    assert staging.read_api_key() == connections.ApiKey(key_id="id-1", secret="new")


def test_all_missing_keys_are_named(file: Path) -> None:
    (file.parent / "secret").write_text(" \n")

    default, missing, empty = catalog(file).api_key_problems()

    assert default.startswith("connection default: has no API key in this process; set ")
    assert missing.startswith(f"connection staging: API key id: {file.parent / 'id'}: cannot be")
    assert empty.startswith(
        f"connection staging: API key secret: {file.parent / 'secret'}: is empt"
    )


def test_a_changed_file_is_seen_without_a_restart(file: Path) -> None:
    found = catalog(file)

    replace(file, "connections: {new: {endpoint: https://new.example, allowedNamespaces: []}}")

    assert found.names() == ["new"]


@pytest.mark.parametrize("text", ["connections: [", "", "connections: {a: {}}"])
def test_a_file_that_goes_bad_keeps_the_last_good_one(
    file: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    found = catalog(file)

    replace(file, text)

    assert found.names() == ["default", "staging"]
    assert found.names() == ["default", "staging"]
    assert caplog.messages == [
        "Connections file is not usable, keeping the connections read before"
    ]


def test_a_file_that_goes_away_keeps_the_last_good_one(file: Path) -> None:
    found = catalog(file)

    file.unlink()

    assert found.names() == ["default", "staging"]


def test_a_file_that_is_mended_is_read(file: Path) -> None:
    found = catalog(file)
    replace(file, "nonsense")
    found.names()

    replace(file, "connections: {new: {endpoint: https://new.example, allowedNamespaces: []}}")

    assert found.names() == ["new"]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("broken YAML", "connections: ["),
        ("no map of connections", "[]"),
        ("no connections", "{}"),
        ("another field", "{connections: {}, sinks: []}"),
        ("an entry that is no map", "connections: {a: https://a}"),
        ("no endpoint", "connections: {a: {allowedNamespaces: []}}"),
        ("an empty endpoint", "connections: {a: {allowedNamespaces: [], endpoint: ''}}"),
        ("an endpoint that is no URL", "connections: {a: {allowedNamespaces: [], endpoint: a}}"),
        ("a number for an endpoint", "connections: {a: {allowedNamespaces: [], endpoint: 1}}"),
        (
            "a name that cannot be one",
            "connections: {A_1: {allowedNamespaces: [], endpoint: https://a}}",
        ),
        ("a number for a name", "connections: {1: {allowedNamespaces: [], endpoint: https://a}}"),
        (
            "an id without a secret",
            MINIMAL + ", apiKeyIdFile: /x}}",
        ),
        (
            "a secret without an id",
            MINIMAL + ", apiKeySecretFile: /x}}",
        ),
        ("a misspelled field", "connections: {a: {endpont: https://a, allowedNamespaces: []}}"),
        (
            "a secret in the file",
            MINIMAL + ", apiKeySecret: hunter2}}",
        ),
        (
            "a namespace that is no list",
            "connections: {a: {endpoint: https://a, allowedNamespaces: team-a}}",
        ),
        (
            "a namespace that cannot be one",
            "connections: {a: {endpoint: https://a, allowedNamespaces: [team-a, Team]}}",
        ),
        ("nobody named", "connections: {a: {endpoint: https://a}}"),
        (
            "an unknown confirmation policy",
            MINIMAL + ", allowedConfirmationPolicies: [All]}}",
        ),
        (
            "a word for a choice of commits",
            MINIMAL + ", allowCommitSHA: never}}",
        ),
        (
            "an unknown operation",
            MINIMAL + ", allowedOperations: [Delete]}}",
        ),
        (
            "a prefix of labels without an end",
            MINIMAL + ", dependencyLabelPrefixes: [after]}}",
        ),
        ("too few requests", MINIMAL + ", requestsPerMinute: 99}}"),
        ("requests as a word", MINIMAL + ", requestsPerMinute: many}}"),
        ("part of a request", MINIMAL + ", requestsPerMinute: 100.5}}"),
        ("requests as a choice", MINIMAL + ", requestsPerMinute: true}}"),
        (
            "a webhook secret that is no list",
            MINIMAL + ", webhookSecretFiles: /x}}",
        ),
        (
            "webhook secrets that are no paths",
            MINIMAL + ", webhookSecretFiles: [[hunter2]]}}",
        ),
        (
            "mistakes in several entries",
            "connections: {a: {}, b: {endpoint: nonsense, apiKeyIdFile: /x, c: hunter2}}",
        ),
    ],
)
def test_a_bad_file_is_refused_at_start(file: Path, case: str, text: str, golden: Golden) -> None:
    file.write_text(text)

    with pytest.raises(settings.SettingsError) as raised:
        catalog(file)

    said = "\n".join(raised.value.problems)
    golden("connections").check(case, said.replace(str(file), "connections.yaml"))
    assert "hunter2" not in said


def test_variables_make_the_connection_default() -> None:
    found = catalog(
        None,
        endpoint="https://acme.app.spacelift.io/graphql",
        api_key_id=settings.Secret(value="id"),
        api_key_secret=settings.Secret(value="secret"),
        allowed_namespaces=("team-a",),
    )

    default = get(found, "default")
    assert found.names() == ["default"]
    assert default.endpoint == "https://acme.app.spacelift.io"
    assert default.read_api_key() == connections.ApiKey(key_id="id", secret="secret")
    assert default.allowed == permissions.Permissions(namespaces=("team-a",))


def test_variables_and_file_may_not_mean_different_accounts(file: Path) -> None:
    with pytest.raises(settings.SettingsError, match="remove one of the two"):
        catalog(file, endpoint="https://other.example")


def test_webhook_secrets_come_by_file_and_for_the_connection_default_by_variable(
    file: Path,
) -> None:
    file.write_text(
        "connections: {default: {endpoint: https://a, allowedNamespaces: [], "
        f"webhookSecretFiles: [{file}]}}, "
        "other: {endpoint: https://b, allowedNamespaces: []}}"
    )

    found = catalog(file, webhook_secret=settings.Secret(value="by-variable"))

    secrets = get(found, "default").webhook_secrets
    assert [secret.file for secret in secrets] == [file, None]
    assert secrets[1].reveal() == "by-variable"
    assert get(found, "other").webhook_secrets == ()


def test_a_webhook_secret_by_variable_needs_the_connection_default(file: Path) -> None:
    file.write_text("connections: {other: {endpoint: https://b, allowedNamespaces: []}}")

    with pytest.raises(settings.SettingsError, match="no connection default"):
        catalog(file, webhook_secret=settings.Secret(value="by-variable"))


@pytest.mark.parametrize(
    ("endpoint", "is_refused"),
    [
        ("https://acme.app.spacelift.io", False),
        ("http://127.0.0.1:8500", False),
        ("http://127.1.2.3", False),
        ("http://localhost:1", False),
        ("http://[::1]:1", False),
        ("http://acme.app.spacelift.io", True),
        ("http://10.0.0.1", True),
        ("http://localhost.example.com", True),
    ],
)
@pytest.mark.parametrize("by_file", [True, False])
def test_keys_are_not_sent_in_plain_text_unless_a_setting_says_so(
    file: Path, endpoint: str, is_refused: bool, by_file: bool
) -> None:
    file.write_text(f"connections: {{default: {{endpoint: '{endpoint}', allowedNamespaces: []}}}}")

    def read(**fields: object) -> list[str]:
        if by_file:
            return catalog(file, **fields).names()
        return catalog(None, endpoint=endpoint, **fields).names()

    assert read(allow_http=True) == ["default"]
    if is_refused:
        with pytest.raises(settings.SettingsError, match="SPACELIFT_ALLOW_HTTP"):
            read()
    else:
        assert read() == ["default"]
