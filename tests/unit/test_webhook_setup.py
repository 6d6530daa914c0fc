"""What `stackchain webhook setup` refuses before it sends anything."""

import argparse
import io
from pathlib import Path

import pytest

from controller.config import settings
from controller.spacelift.webhooks import setup_command, setup_options
from tests.support.golden import Golden

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
TO_A = "--url https://a.example"
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
    with pytest.raises(ValueError, match="https"):
        setup_command.receiver_url(text, connection="prod", is_insecure=False)

    assert setup_command.receiver_url(text, connection="prod", is_insecure=True).startswith(text)


@pytest.mark.parametrize(
    "text",
    ["", "a.example.com", "ftp://a.example.com", "https://user:pw@a.example.com", "https://"],
)
def test_what_is_no_address_is_refused_even_if_insecure(text: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        setup_command.receiver_url(text, connection="prod", is_insecure=True)


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        pytest.param("", {}, id="no URL"),
        pytest.param("--url http://hooks.example.com", {}, id="a URL without https"),
        pytest.param("--url nonsense", {}, id="not a URL"),
        pytest.param(f"{TO_A} --name=---", {}, id="a name without a letter"),
        pytest.param(f"{TO_A} --connection other", {}, id="an unknown connection"),
        pytest.param(TO_A, {"SPACELIFT_WEBHOOK_SECRET": ""}, id="no secret"),
        pytest.param(TO_A, {"SPACELIFT_WEBHOOK_SECRET": "topsecret"}, id="a short secret"),
        pytest.param(
            "--remove",
            {"SPACELIFT_API_KEY_ID": "", "SPACELIFT_API_KEY_SECRET": ""},
            id="no API key",
        ),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(
    arguments: str, variables: dict[str, str], case: str, golden: Golden
) -> None:
    parser = argparse.ArgumentParser()
    setup_options.add_arguments(parser)
    loaded = settings.load_settings({**ENVIRON, **variables})

    with pytest.raises(settings.SettingsError) as refused:
        await setup_command.run(loaded, parser.parse_args(arguments.split()), io.StringIO())

    golden("webhook_setup").check(f"refused: {case}", "\n".join(refused.value.problems))
    assert "topsecret" not in str(refused.value)


async def test_a_secret_file_that_is_gone_is_named(tmp_path: Path, golden: Golden) -> None:
    file = tmp_path / "webhook-secret"
    file.write_text(SECRET)
    variables = {"SPACELIFT_WEBHOOK_SECRET": "", "SPACELIFT_WEBHOOK_SECRET_FILE": str(file)}
    loaded = settings.load_settings({**ENVIRON, **variables})
    parser = argparse.ArgumentParser()
    setup_options.add_arguments(parser)
    file.unlink()

    with pytest.raises(settings.SettingsError) as refused:
        await setup_command.run(loaded, parser.parse_args(TO_A.split()), io.StringIO())

    (problem,) = refused.value.problems
    said = problem.replace(f"{tmp_path}/", "")
    golden("webhook_setup").check("refused: a secret file that is gone", said)
