"""What Temporal's web UI shows of a chain run while it runs; it costs no history. Pure."""

from controller import outside_text
from controller.chain.run import progress

_ROWS = 100


def table_of(run: progress.ChainProgress) -> str:
    """Return the run and its first stacks as Markdown."""
    message = outside_text.markdown(run.problem_message or run.message)
    rows = [_row(stack) for stack in run.stacks[:_ROWS]]
    return f"**{run.phase}** {message}\n\n" + "\n".join(
        ["| stack | phase | reason | run |", "| --- | --- | --- | --- |", *rows]
    )


def _row(stack: progress.StackProgress) -> str:
    url = outside_text.link(stack.run_url) or ""
    return f"| {outside_text.markdown(stack.id)} | {stack.phase} | {stack.reason} | {url} |"
