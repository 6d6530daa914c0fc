"""Logs of a release at their most talkative, on real parts.

Given: an operator and a worker at `LOG_LEVEL=debug`, and a chain with environment variables.
Asserted: what their logs hold.
"""

from pathlib import Path

from tests.support import chains
from tests.support.chains import account_document

VALUE = "only-for-the-run-7f3a"


def texts(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.rglob("*.log")}


async def test_logs_hold_no_environment_variables_and_no_whole_resources(
    parts: chains.Parts, tmp_path: Path
) -> None:
    options = chains.Options(settings={"LOG_LEVEL": "debug"})
    async with chains.installed(parts, tmp_path, options) as release:
        account = await release.add_account("debug", account_document("a -> b"))
        chain = await release.create(
            "debug",
            "a",
            account=account,
            runtimeEnvironment=[{"name": "TF_VAR_size", "value": VALUE}],
        )
        await chain.ends("RunSucceeded")
        await release.stackchains.set_spec("debug", suspend=True)
        await chain.until(lambda status: status["observedGeneration"] == 2)

    logs = texts(tmp_path)
    assert [name for name, text in logs.items() if " DEBUG " in text], logs.keys()
    assert [name for name, text in logs.items() if VALUE in text] == []
    assert [name for name, text in logs.items() if "runtimeEnvironment" in text] == []
