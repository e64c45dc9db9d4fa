"""Libraries that would phone home, update themselves or write into the home directory are told not to.

Called before any of them is imported: by the command line, by the flows and by the tests. A value that the user
has set in the environment stays.
"""

import os
from pathlib import Path

QUIET = {
    "DO_NOT_TRACK": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    # The first flow of a process starts a temporary server; on a busy machine that takes longer than its default.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}


def keep_quiet(workspace: Path) -> None:
    """Telemetry and update checks off; Prefect's home and pictures' caches inside the workspace."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_HOME", str(workspace.resolve() / "prefect"))
    os.environ.setdefault("MPLCONFIGDIR", str(workspace.resolve() / "matplotlib"))
