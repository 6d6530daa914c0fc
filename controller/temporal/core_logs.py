"""Log lines of the SDK's native core, which otherwise prints them in colors and unformatted.

They are made Python log records, so that `observability.logging` writes them like all others.
"""

import logging

import temporalio.runtime

_LOGGER = logging.getLogger("temporalio.core")

# A workflow that ends while it cancels an activity leaves this behind; there is nothing to do.
_EXPECTED = "Activity not found on completion"

FORWARDING = temporalio.runtime.LogForwardingConfig(
    logger=_LOGGER,
    append_target_to_name=False,
    prepend_target_on_message=False,
    append_log_fields_to_message=False,
)


def forward() -> None:
    """Have all clients and workers of the process write the core's lines to Python's loggers.

    Call it before the first of them is made.
    """
    logs = temporalio.runtime.LoggingConfig(
        filter=temporalio.runtime.TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=FORWARDING,
    )
    telemetry = temporalio.runtime.TelemetryConfig(logging=logs)
    temporalio.runtime.Runtime.set_default(temporalio.runtime.Runtime(telemetry=telemetry))


def _as_debug_if_expected(record: logging.LogRecord) -> bool:
    if record.getMessage().startswith(_EXPECTED):
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return _LOGGER.isEnabledFor(record.levelno)


_LOGGER.addFilter(_as_debug_if_expected)
