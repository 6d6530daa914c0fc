"""What Temporal's web UI shows of a chain run while it runs; it costs no history. Pure."""

from controller.chain.run import progress

_ROWS = 100


def table_of(run: progress.ChainProgress) -> str:
    """Return the run and its first stacks as Markdown."""
    rows = [
        f"| {stack.id} | {stack.phase} | {stack.reason} | {stack.run_url or ''} |"
        for stack in run.stacks[:_ROWS]
    ]
    head = f"**{run.phase}** {run.problem_message or run.message}\n\n"
    return head + "\n".join(
        ["| stack | phase | reason | run |", "| --- | --- | --- | --- |", *rows]
    )
