"""Which code, which lock file, which machine: what an artefact must name so that it can be made again."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data.digest import file_digest

CHECKOUT = Path(__file__).resolve().parent.parent


def code_version() -> str:
    """The release, and the commit where this is a checkout (`0.1.0+abc1234`, `.changed` if files differ from it)."""
    try:
        release = version("duesight")
    except PackageNotFoundError:
        release = "0"
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return release
    return f"{release}+{commit}{'.changed' if _git('status', '--porcelain', '--untracked-files=no') else ''}"


def lock_digest() -> str:
    """BLAKE2b of uv.lock; "none" where the code runs without it."""
    lock = CHECKOUT / "uv.lock"
    return file_digest(lock) if lock.exists() else "none"


def platform_name() -> str:
    """System, processor kind and Python: same bytes are promised only where these are the same."""
    return f"{platform.system()} {platform.machine()} Python {platform.python_version()}"


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(CHECKOUT), *words], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
