"""What users install, on a cluster: chains run, whatever happens to the pods meanwhile."""

from tests.support import release as releases
from tests.support import waiting


def test_a_chain_becomes_ready_and_its_stacks_are_run_once_each(
    apply: releases.Apply, release: releases.Release
) -> None:
    applied = apply("platform")

    applied.wait_until_ready()

    assert applied.row()[:6] == ["platform", "True", "RunSucceeded", "1", "Apply", "7/7"]
    assert set(release.account.runs_per_stack(releases.graph("platform")).values()) == {1}


def test_helm_test_tells_what_answers(release: releases.Release) -> None:
    said = release.test()

    assert "Phase:          Succeeded" in said
    assert "Spacelift connection default: account" in said
    assert "accepts the API key as stackchain" in said


async def test_no_stack_is_triggered_twice_when_all_pods_are_killed_in_the_middle(
    apply: releases.Apply, release: releases.Release
) -> None:
    applied = apply("killed")
    await waiting.eventually(applied.is_in_the_middle)

    release.kill("worker")
    release.kill("operator")
    applied.wait_until_ready()

    assert applied.row()[5] == "7/7"
    assert set(release.account.runs_per_stack(releases.graph("killed")).values()) == {1}


async def test_an_upgrade_in_the_middle_replaces_all_pods_and_loses_nothing(
    apply: releases.Apply, release: releases.Release
) -> None:
    before = {*release.pods("operator"), *release.pods("worker")}
    applied = apply("upgraded")
    await waiting.eventually(applied.is_in_the_middle)

    release.upgrade("logging.level=debug")
    after = {*release.pods("operator"), *release.pods("worker")}
    applied.wait_until_ready()

    assert len(after) == 3
    assert not before & after
    assert applied.row()[5] == "7/7"
    assert set(release.account.runs_per_stack(releases.graph("upgraded")).values()) == {1}


def test_pods_run_without_rights_that_they_do_not_need(
    release: releases.Release, cluster: releases.Cluster
) -> None:
    worker = release.pods("worker")[0]
    there = f"--namespace={release.namespace}"

    def inside(program: str) -> str:
        return cluster.kubectl("exec", there, worker, "--", "python3", "-c", program).strip()

    read_only = "import os; print(os.statvfs('/').f_flag & os.ST_RDONLY)"
    token = "import os; print(os.path.exists('/var/run/secrets/kubernetes.io/serviceaccount'))"
    assert inside("import os; print(os.getuid(), os.getgid())") == "65532 65532"
    assert inside(read_only) == "1"
    assert inside(token) == "False"
