"""Reading the environment.

Given: a mapping of variables. Asserted: the settings, or all problems at once.
"""

import dataclasses
import functools
import inspect
from pathlib import Path
from typing import get_type_hints

import pytest

from controller.config import environment, settings, shell_settings
from devenv.control_plane import certificates
from tests.support.golden import Golden

PAGE = "settings"


def problems_of(environ: dict[str, str]) -> str:
    with pytest.raises(settings.SettingsError) as raised:
        settings.load_settings(environ)
    return "\n".join(raised.value.problems)


def key_pair(path: Path) -> Path:
    """Write a private key and its certificate into one file."""
    made = certificates.Certificates(directory=path.with_suffix(".made"))
    made.ensure()
    path.write_text(made.server_key.read_text() + made.server.read_text())
    return path


@pytest.fixture
def pem(tmp_path: Path) -> str:
    return str(key_pair(tmp_path / "file.pem"))


def test_an_empty_environment_gives_the_documented_defaults(
    tmp_path: Path,
) -> None:
    loaded = settings.load_settings({}, service_account_namespace=tmp_path / "missing")

    assert loaded.installation.pod_name
    assert loaded == settings.Settings(
        installation=settings.InstallationSettings(pod_name=loaded.installation.pod_name),
        temporal=settings.TemporalSettings(task_queue="spacelift-task-queue-default"),
    )


def test_blank_variables_count_as_unset() -> None:
    rows = {row.variable for row in settings.describe_settings()}

    assert settings.load_settings(dict.fromkeys(rows, "  ")) == settings.load_settings({})


def test_every_problem_is_told_at_once_with_its_variable() -> None:
    problems = problems_of(
        {
            "STACKCHAIN_INSTALLATION": "Not Valid",
            "STACKCHAIN_RESYNC_SECONDS": "soon",
            "WORKER_MAX_CACHED_WORKFLOWS": "0",
            "LOG_FORMAT": "xml",
            "HEALTH_ADDRESS": "8080",
            "TEMPORAL_TLS": "maybe",
            "SPACELIFT_ALLOWED_NAMESPACES": "team-a,No_Good",
        }
    )

    for name in (
        "STACKCHAIN_INSTALLATION",
        "STACKCHAIN_RESYNC_SECONDS",
        "WORKER_MAX_CACHED_WORKFLOWS",
        "LOG_FORMAT",
        "HEALTH_ADDRESS",
        "TEMPORAL_TLS",
        "SPACELIFT_ALLOWED_NAMESPACES",
    ):
        assert f"{name}: " in problems
    assert len(problems.splitlines()) == 7


@pytest.mark.parametrize(
    "text", ["0", "-1", "nan", "inf", "1e400", "ten"], ids=lambda text: f"seconds={text}"
)
def test_seconds_are_above_zero_and_finite(text: str) -> None:
    assert "SPACELIFT_POLL_SECONDS" in problems_of({"SPACELIFT_POLL_SECONDS": text})


@pytest.mark.parametrize("text", ["1_000", "1.5", "-1", "2000000000000", "٣"])
def test_whole_numbers_are_plain_digits(text: str) -> None:
    variable = "WORKER_MAX_CONCURRENT_FOLLOWS"

    assert variable in problems_of({variable: text})


@pytest.mark.parametrize("text", ["0.0.0.0:8080", "[::]:8080", "localhost:0"])
def test_addresses_have_host_and_port(text: str) -> None:
    assert settings.load_settings({"HEALTH_ADDRESS": text}).observability.health_address == text


@pytest.mark.parametrize("text", ["8080", ":8080", "::1:8080", "host:port", "host:70000", "a/b:1"])
def test_addresses_without_host_or_port_are_refused(text: str) -> None:
    assert "HEALTH_ADDRESS" in problems_of({"HEALTH_ADDRESS": text})


def test_lists_are_sorted_and_free_of_doubles() -> None:
    loaded = settings.load_settings({"STACKCHAIN_WATCH_NAMESPACES": "team-b, team-a,,team-b"})

    assert loaded.installation.watch_namespaces == ("team-a", "team-b")


def test_the_namespace_is_that_of_the_pod_unless_it_is_named(tmp_path: Path) -> None:
    mounted = tmp_path / "namespace"
    mounted.write_text("platform\n")

    load = functools.partial(settings.load_settings, service_account_namespace=mounted)
    named = load({"STACKCHAIN_NAMESPACE": "elsewhere"})

    assert load({}).installation.namespace == "platform"
    assert named.installation.namespace == "elsewhere"


@pytest.mark.parametrize(
    ("environ", "queue"),
    [
        pytest.param({"STACKCHAIN_NAMESPACE": "team"}, "spacelift-task-queue-team", id="namespace"),
        pytest.param(
            {"STACKCHAIN_NAMESPACE": "team", "STACKCHAIN_INSTALLATION": "blue"},
            "spacelift-task-queue-blue",
            id="installation",
        ),
        pytest.param(
            {"STACKCHAIN_INSTALLATION": "blue", "TEMPORAL_TASK_QUEUE": "shared"},
            "shared",
            id="named",
        ),
    ],
)
def test_the_task_queue_is_the_installations_own(environ: dict[str, str], queue: str) -> None:
    assert settings.load_settings(environ).temporal.task_queue == queue


class TestTemporal:
    @pytest.mark.parametrize(
        ("environ", "address", "tls"),
        [
            pytest.param({}, "temporal:7233", False, id="default"),
            pytest.param({"TEMPORAL_ADDRESS": "t:1"}, "t:1", False, id="address"),
            pytest.param({"TEMPORAL_URL": "t:1"}, "t:1", False, id="url without scheme"),
            pytest.param({"TEMPORAL_URL": "http://t:1/"}, "t:1", False, id="http"),
            pytest.param({"TEMPORAL_URL": "grpc://t"}, "t:7233", False, id="usual port"),
            pytest.param({"TEMPORAL_URL": "https://t:1"}, "t:1", True, id="https is TLS"),
            pytest.param({"TEMPORAL_URL": "https://t"}, "t:443", True, id="https port"),
            pytest.param({"TEMPORAL_URL": "grpcs://t:1"}, "t:1", True, id="grpcs is TLS"),
            pytest.param({"TEMPORAL_URL": "http://[::1]"}, "[::1]:7233", False, id="IPv6"),
            pytest.param(
                {"TEMPORAL_ADDRESS": "t:1", "TEMPORAL_URL": "https://other:2"},
                "t:1",
                False,
                id="address wins over url",
            ),
            pytest.param(
                {"TEMPORAL_URL": "https://t:1", "TEMPORAL_TLS": "false"},
                "t:1",
                False,
                id="said otherwise",
            ),
        ],
    )
    def test_address(self, environ: dict[str, str], address: str, tls: bool) -> None:
        temporal = settings.load_settings(environ).temporal

        assert (temporal.address, temporal.tls) == (address, tls)

    def test_a_scheme_that_nobody_knows_is_refused(self, golden: Golden) -> None:
        problems = problems_of({"TEMPORAL_URL": "ftp://t:1"})

        golden(PAGE).check("Temporal: an unknown scheme", problems)

    def test_an_api_key_implies_tls(self) -> None:
        assert settings.load_settings({"TEMPORAL_API_KEY": "key"}).temporal.tls
        assert not settings.load_settings(
            {"TEMPORAL_API_KEY": "key", "TEMPORAL_TLS": "false"}
        ).temporal.tls

    def test_certificates_imply_tls(self, pem: str) -> None:
        loaded = settings.load_settings(
            {"TEMPORAL_TLS_CLIENT_CERT_PATH": pem, "TEMPORAL_TLS_CLIENT_KEY_DATA": "key"}
        )

        assert loaded.temporal.tls

    def test_a_certificate_needs_a_key_and_a_key_a_certificate(
        self, pem: str, golden: Golden
    ) -> None:
        without_key = problems_of({"TEMPORAL_TLS_CLIENT_CERT_PATH": pem})
        without_certificate = problems_of({"TEMPORAL_TLS_CLIENT_KEY_PATH": pem})

        golden(PAGE).check("Temporal: a certificate without a key", without_key)
        golden(PAGE).check("Temporal: a key without a certificate", without_certificate)

    def test_the_same_thing_twice_is_refused(self, pem: str, golden: Golden) -> None:
        problems = problems_of(
            {
                "TEMPORAL_TLS_SERVER_CA_CERT_PATH": pem,
                "TEMPORAL_TLS_SERVER_CA_CERT_DATA": "pem",
                "TEMPORAL_API_KEY": "key",
                "TEMPORAL_API_KEY_FILE": pem,
            }
        )

        golden(PAGE).check("Temporal: the same thing twice", problems)

    def test_tls_settings_without_tls_are_refused(self, golden: Golden) -> None:
        problems = problems_of({"TEMPORAL_TLS": "false", "TEMPORAL_TLS_SERVER_NAME": "t"})

        golden(PAGE).check("Temporal: TLS settings without TLS", problems)

    @pytest.mark.parametrize(
        "text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    )
    def test_a_file_without_a_certificate_is_refused(
        self, tmp_path: Path, text: str, golden: Golden
    ) -> None:
        """Otherwise each connection fails, and says only that it is not trusted."""
        file = tmp_path / "ca.pem"
        file.write_text(text)

        problems = problems_of(
            {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(file), "SPACELIFT_API_TLS_CA": str(file)}
        )

        golden(PAGE).check("no certificate", problems.replace(str(file), "ca.pem"))

    def test_a_client_certificate_needs_its_own_key(self, tmp_path: Path, golden: Golden) -> None:
        one, other = (key_pair(tmp_path / name) for name in ("one.pem", "other.pem"))
        environ = {"TEMPORAL_TLS_CLIENT_CERT_PATH": str(one)}

        settings.load_settings({**environ, "TEMPORAL_TLS_CLIENT_KEY_PATH": str(one)})
        other.write_text(other.read_text().partition("-----BEGIN CERTIFICATE")[0])
        problems = problems_of({**environ, "TEMPORAL_TLS_CLIENT_KEY_PATH": str(other)})
        said = problems.replace(f"{tmp_path}/", "")
        golden(PAGE).check("Temporal: the key of another certificate", said)

    def test_a_missing_file_is_refused(self, golden: Golden) -> None:
        problems = problems_of({"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/no/such/file"})

        golden(PAGE).check("a file is missing", problems)


class TestSpacelift:
    def test_an_endpoint_alone_is_enough_for_the_operator(self) -> None:
        loaded = settings.load_settings({"SPACELIFT_API_KEY_ENDPOINT": "https://a.example/"})

        assert loaded.spacelift.endpoint == "https://a.example"

    def test_half_a_key_is_refused(self, golden: Golden) -> None:
        problems = problems_of(
            {"SPACELIFT_API_KEY_ENDPOINT": "https://a.example", "SPACELIFT_API_KEY_ID": "id"}
        )

        golden(PAGE).check("Spacelift: half a key", problems)

    def test_a_key_without_an_account_is_refused(self, golden: Golden) -> None:
        problems = problems_of({"SPACELIFT_API_KEY_ID": "id", "SPACELIFT_API_KEY_SECRET": "s"})

        golden(PAGE).check("Spacelift: a key without an account", problems)

    @pytest.mark.parametrize(
        "url", ["a.example", "ftp://a.example", "https://", "https://a.example:x", "https://a?b"]
    )
    def test_an_endpoint_is_a_plain_http_url(self, url: str) -> None:
        assert "SPACELIFT_API_KEY_ENDPOINT" in problems_of({"SPACELIFT_API_KEY_ENDPOINT": url})

    def test_a_password_in_an_endpoint_is_refused_and_not_shown(self, golden: Golden) -> None:
        problems = problems_of({"SPACELIFT_API_KEY_ENDPOINT": "https://me:hunter2@a.example"})

        golden(PAGE).check("Spacelift: a password in the endpoint", problems)
        assert "hunter2" not in problems


class TestSecret:
    def test_a_secret_shows_itself_nowhere(self) -> None:
        loaded = settings.load_settings(
            {
                "TEMPORAL_API_KEY": "hunter2",
                "SPACELIFT_API_KEY_ENDPOINT": "https://a.example",
                "SPACELIFT_API_KEY_ID": "hunter2",
                "SPACELIFT_API_KEY_SECRET": "hunter2",
            }
        )

        assert "hunter2" not in f"{loaded} {loaded!r} {loaded.temporal.api_key}"

    def test_a_secret_file_is_read_at_each_use(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text("old\n")
        api_key = settings.load_settings({"TEMPORAL_API_KEY_FILE": str(path)}).temporal.api_key
        assert api_key is not None
        assert api_key.reveal() == "old"

        path.write_text("new\n")

        assert api_key.reveal() == "new"

    def test_a_secret_file_that_is_missing_or_empty_is_a_problem(
        self, tmp_path: Path, golden: Golden
    ) -> None:
        empty = tmp_path / "empty"
        empty.touch()

        is_empty = problems_of({"TEMPORAL_API_KEY_FILE": str(empty)})
        is_missing = problems_of({"TEMPORAL_API_KEY_FILE": "/no/such/file"})

        golden(PAGE).check("a secret file is empty", is_empty.replace(f"{tmp_path}/", ""))
        golden(PAGE).check("a secret file is missing", is_missing)


def test_every_field_is_described_by_one_row() -> None:
    rows = settings.describe_settings()
    fields = [
        field
        for group in get_type_hints(settings.Settings).values()
        for field in dataclasses.fields(group)
    ]

    assert {environment.variable_of(field).name for field in fields} | {"TEMPORAL_URL"} == {
        row.variable for row in rows
    }
    assert len({row.variable for row in rows}) == len(rows)
    assert all(row.meaning.endswith(".") and "\n" not in row.meaning for row in rows)


def test_variables_belong_to_their_group() -> None:
    """A variable of another prefix would be looked for in vain."""
    prefixes = (
        *("STACKCHAIN_", "TEMPORAL_", "SPACELIFT_", "WORKER_", "WEBHOOK_", "NOTIFICATIONS_"),
        *("UI_", "LOG_", "HEALTH_"),
    )

    for row in settings.describe_settings():
        assert row.variable.startswith(prefixes) or row.variable == "KUBECONFIG"


def test_defaults_pass_their_own_parsers() -> None:
    """What the documentation shows as a default can be set as well."""
    for row in settings.describe_settings():
        if row.default.startswith("`") and row.default.endswith("`") and "~" not in row.default:
            settings.load_settings({row.variable: row.default.strip("`")})


def test_the_module_reads_the_environment_in_one_place() -> None:
    assert inspect.getsource(shell_settings).count("os.environ") == 1


def test_the_plugin_minds_no_setting_of_the_operator(tmp_path: Path) -> None:
    """A shell may be set up for anything; only what the plugin reads can be wrong."""
    config = tmp_path / "config"
    config.touch()
    environ = {"LOG_LEVEL": "chatty", "TEMPORAL_TLS": "maybe", "KUBECONFIG": str(config)}

    loaded = shell_settings.load_plugin_settings(
        environ={**environ, "NO_COLOR": "1", "TERM": "xterm"}
    )

    assert loaded.kubernetes.kubeconfig == config
    assert loaded.terminal == shell_settings.TerminalSettings(no_color=True, term="xterm")


def test_an_option_of_the_plugin_goes_before_the_variable(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.touch()

    loaded = shell_settings.load_plugin_settings(
        kubeconfig=str(config), environ={"KUBECONFIG": "/nowhere"}
    )

    assert loaded.kubernetes.kubeconfig == config
    with pytest.raises(settings.SettingsError, match="KUBECONFIG"):
        shell_settings.load_plugin_settings(environ={"KUBECONFIG": "/nowhere"})


def test_how_long_a_completion_waits_can_be_set_beside_an_option(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.touch()
    load = functools.partial(shell_settings.load_plugin_settings, kubeconfig=str(config))

    assert load(environ={"STACKCHAIN_COMPLETION_SECONDS": "0.5"}).completion_seconds == 0.5
    with pytest.raises(settings.SettingsError, match="STACKCHAIN_COMPLETION_SECONDS"):
        load(environ={"STACKCHAIN_COMPLETION_SECONDS": "soon"})


def test_a_webhook_secret_needs_an_account(golden: Golden) -> None:
    problems = problems_of({"SPACELIFT_WEBHOOK_SECRET": "secret"})

    golden(PAGE).check("Spacelift: a webhook secret without an account", problems)
