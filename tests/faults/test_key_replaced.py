"""A key is replaced by another while the answer to a trigger is lost, and the worker dies."""

from typing import Any

from devenv import simulator_process
from devenv.simulator import faults
from tests.support import chains
from tests.support.chains import account_document

NEW_KEY, NEW_SECRET = "01KNEWKEY00000000000000001", "another-secret"


async def test_a_run_whose_answer_was_lost_is_found_by_the_key_that_triggered_it(
    release: chains.Installation,
) -> None:
    account = await release.add_account("rekeyed", account_document("a -> b", duration=1))
    simulator = account.server.simulator

    def hide_runs(*_: Any) -> None:
        """Let no one find the run before the key is another one."""
        if not any(rule.hits for rule in simulator.faults.rules.values()):
            return
        simulator.transition_listeners.remove(hide_runs)
        unread = faults.FaultSpec(kind="query", field="stack", action="status", status=502, count=0)
        simulator.faults.add(unread)

    simulator.transition_listeners.append(hide_runs)
    await account.fault(field="runTrigger", when="after", action="reset", count=0)
    chain = await release.create("rekeyed", "a", account=account)
    await chain.until(
        lambda status: chains.stack(status, "a").get("reason") == "SpaceliftUnreachable",
        what="the run cannot be looked for",
    )
    old = (await account.only_run("a"))["triggeredBy"]

    await account.admin("PUT", f"/keys/{NEW_KEY}", {"secret": NEW_SECRET})
    simulator.account.keys.pop(simulator_process.API_KEY.id)
    key_id, secret = release.key_files("rekeyed")
    key_id.write_text(NEW_KEY)
    secret.write_text(NEW_SECRET)
    # Another process has never seen the old key.
    await release.worker.kill()
    await account.heal()
    await release.worker.start()
    status = await chain.ends("RunSucceeded")

    run = await account.only_run("a")
    assert (run["triggeredBy"], run["state"]) == (old, "FINISHED")
    assert simulator_process.API_KEY.id in old
    assert chains.stack(status, "a")["runId"] == run["id"]
    await account.only_run("b")
