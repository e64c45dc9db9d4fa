"""A mended arithmetic is the one that runs, also in functions of other modules that were compiled before."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_change_in_one_module_reaches_functions_that_another_has_compiled_before(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    shutil.copy(ROOT / "features" / "compiled.py", room)
    (tmp_path / "data").mkdir()
    for name in ("__init__.py", "days.py", "digest.py", "errors.py"):
        shutil.copy(ROOT / "data" / name, tmp_path / "data")
    head = "from room.compiled import compiled\n"
    caller = f"{head}from room.rule import rule\n\n@compiled\ndef asked(days):\n    return rule(days)\n"
    (room / "caller.py").write_text(caller)

    def answer(rule: str) -> str:
        (room / "rule.py").write_text(f"{head}\n@compiled\ndef rule(days):\n    return {rule}\n")
        ask = "from room.caller import asked; print(asked(30))"
        done = subprocess.run(
            [sys.executable, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert answer("days + 1") == "31"
    assert any((room / "__pycache__").rglob("caller.asked*.nbc")), "what was compiled was kept"
    assert answer("days + 2") == "32"


def test_everything_compiled_in_this_room_is_kept_that_way() -> None:
    for module in sorted((ROOT / "features").glob("*.py")):
        if module.name != "compiled.py":
            assert not re.search(r"\bnumba\b", module.read_text().split('"""', 2)[2]), module.name
