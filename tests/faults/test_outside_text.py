"""What people write in Spacelift reaches the status in a form that every tool can read."""

import yaml

from tests.support import chains, kubectl
from tests.support.chains import account_document

# A bell, colors, a delete, a C1 control, a bidirectional override, and an extra line.
NASTY = "\x07\x1b[31mred\x7f\x85\u202e\nspec: {}\tpassword=hunter2secret"
PERSON = "jo\x1b[2Je@example.com"


async def test_text_of_any_kind_keeps_the_status_readable(
    release: chains.Installation, parts: chains.Parts
) -> None:
    account = await release.add_account("written", account_document("a -> b"))
    await account.admin("POST", "/stacks/a/lock", {"user": PERSON, "note": NASTY})
    run = kubectl.Kubectl(plane=parts.control_plane, namespace=release.namespace)

    chain = await release.create("written", "a", account=account)
    status = await chain.until(
        lambda status: chains.stack(status, "a").get("reason") == "StackLocked",
        what="the lock is shown",
    )
    code, shown = await run("get", "stackchains", "--output=yaml")
    (told,) = [line for line in await chain.told("StackWaiting") if "red" in line]
    await account.admin("POST", "/stacks/a/unlock", {"user": PERSON})
    await chain.ends("RunSucceeded")

    assert code == 0, shown
    (body,) = [
        item for item in yaml.safe_load(shown)["items"] if item["metadata"]["name"] == "written"
    ]
    message = chains.stack(status, "a")["message"]
    assert chains.stack(body["status"], "a")["message"] == message
    for text in (message, told):
        assert "red" in text
        assert "hunter2secret" not in text
        assert text.isprintable()
