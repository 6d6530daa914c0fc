"""What `stackchain webhook setup` refuses before it sends anything."""

import argparse
import io
from pathlib import Path

import pytest

from controller.config import settings
from controller.spacelift.webhooks import setup_command

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
ENVIRON = {
    "SPACELIFT_API_KEY_ENDPOINT": "https://acme.app.spacelift.io",
    "SPACELIFT_API_KEY_ID": "01JKEY0000000000000000000A",
    "SPACELIFT_API_KEY_SECRET": "s3cret",
    "SPACELIFT_WEBHOOK_SECRET": SECRET,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.example.com", "https://a.example.com/webhooks/spacelift/prod"),
        ("https://a.example.com/", "https://a.example.com/webhooks/spacelift/prod"),
        ("https://a.example.com:8443", "https://a.example.com:8443/webhooks/spacelift/prod"),
        ("https://a.example.com/hooks/1", "https://a.example.com/hooks/1"),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090/webhooks/spacelift/prod"),
        ("http://localhost:8090", "http://localhost:8090/webhooks/spacelift/prod"),
        ("http://[::1]:8090", "http://[::1]:8090/webhooks/spacelift/prod"),
    ],
)
def test_the_path_of_the_connection_is_added_where_there_is_none(text: str, expected: str) -> None:
    url = setup_command.receiver_url(text, connection="prod", is_insecure=False)

    assert url == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://a.example.com",
        "http://10.0.0.1:8090",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
    ],
)
def test_without_https_a_url_has_to_be_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="has no https"):
        setup_command.receiver_url(text, connection="prod", is_insecure=False)

    assert setup_command.receiver_url(text, connection="prod", is_insecure=True).startswith(text)


@pytest.mark.parametrize(
    "text",
    ["", "a.example.com", "ftp://a.example.com", "https://user:pw@a.example.com", "https://"],
)
def test_what_is_no_address_is_refused_even_if_insecure(text: str) -> None:
    with pytest.raises(ValueError, match="must be a URL"):
        setup_command.receiver_url(text, connection="prod", is_insecure=True)


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        ("", {}, "--url: is missing"),
        ("--url http://hooks.example.com", {}, "--url: it has no https"),
        ("--url nonsense", {}, "--url: it must be a URL"),
        ("--url https://a.example --name=---", {}, "--name: needs a letter or a digit"),
        (
            "--url https://a.example --connection other",
            {},
            "--connection: there is none named other, only: default",
        ),
        (
            "--url https://a.example",
            {"SPACELIFT_WEBHOOK_SECRET": ""},
            "connection default: has no webhook secret; set webhookSecretFiles",
        ),
        (
            "--url https://a.example",
            {"SPACELIFT_WEBHOOK_SECRET": "topsecret"},
            "connection default: its webhook secret has fewer than 16 characters",
        ),
        (
            "--remove",
            {"SPACELIFT_API_KEY_ID": "", "SPACELIFT_API_KEY_SECRET": ""},
            "connection default: has no API key in this process",
        ),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(
    arguments: str, variables: dict[str, str], says: str
) -> None:
    parser = argparse.ArgumentParser()
    setup_command.add_arguments(parser)
    loaded = settings.load_settings({**ENVIRON, **variables})

    with pytest.raises(settings.SettingsError) as refused:
        await setup_command.run(loaded, parser.parse_args(arguments.split()), io.StringIO())

    assert refused.value.problems[0].startswith(says)
    assert "topsecret" not in str(refused.value)


async def test_a_secret_file_that_is_gone_is_named(tmp_path: Path) -> None:
    file = tmp_path / "webhook-secret"
    file.write_text(SECRET)
    variables = {"SPACELIFT_WEBHOOK_SECRET": "", "SPACELIFT_WEBHOOK_SECRET_FILE": str(file)}
    loaded = settings.load_settings({**ENVIRON, **variables})
    parser = argparse.ArgumentParser()
    setup_command.add_arguments(parser)
    file.unlink()

    with pytest.raises(settings.SettingsError, match=f"{file}: cannot be read"):
        await setup_command.run(
            loaded, parser.parse_args(["--url", "https://a.example"]), io.StringIO()
        )
