"""The house's own rules, held by reading the source: the arrow, who opens the files kept apart, sizes, the lock.

Every rule that could silently stop looking is also shown a planted breach, which it must name.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("data", "features", "decisions", "models", "scoring", "followup", "reports", "pipelines")
LONGEST_MODULE = 400
PAGES = "data/pages.py"
"""Where text is made fit for a page."""

# Who may say these names at all. A folder ends with a slash. The room's own module defines the reader.
KEPT_APART: Mapping[str, tuple[str, ...]] = {
    "read_directory": ("data/apart.py", "scoring/sheets.py", "pipelines/"),
    "directory.parquet": ("data/apart.py", "scoring/sheets.py"),
    "read_people": ("scoring/sheets.py",),
    "read_protected": ("data/apart.py", "models/fairness.py"),
    "protected.parquet": ("data/apart.py",),
    # What MLflow would run to open a model is for outsiders; duesight reads and checks its own copy (models/served.py).
    "load_model": (),
    "_load_pyfunc": ("models/standalone.py",),
}


# MLflow takes only "true" for the first two.
TELEMETRY_OFF = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def room_modules(root: Path) -> list[Path]:
    """Every Python module of the rooms under `root`, sorted."""
    return sorted(path for room in ROOMS for path in (root / room).rglob("*.py"))


def names_said(source: str) -> Iterator[tuple[str, int]]:
    """Each name, attribute, import and plain text of a module with its line: whatever could reach a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2], node.lineno
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.rpartition("/")[2], node.lineno


def openings_of_kept_apart(root: Path) -> list[str]:
    """`file:line says name` for each module that names a reader of personal data it has no business with."""
    found = []
    for path in room_modules(root):
        place = path.relative_to(root).as_posix()
        for name, line in names_said(path.read_text(encoding="utf-8")):
            allowed = KEPT_APART.get(name)
            if allowed is not None and not any(
                place == who or (who.endswith("/") and place.startswith(who)) for who in allowed
            ):
                found.append(f"{place}:{line} says {name}")
    return found


def pages_of_their_own(root: Path) -> list[str]:
    """`file:line ...` for each module that escapes text for a page, or makes templates, instead of asking data/pages.py."""
    found = []
    for path in room_modules(root):
        place = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if place != PAGES else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Environment":
                found.append(f"{place}:{node.lineno} makes templates")
            elif (isinstance(node, ast.Import) and "html" in {alias.name for alias in node.names}) or (
                isinstance(node, ast.ImportFrom) and node.module == "html"
            ):
                found.append(f"{place}:{node.lineno} escapes text")
    return found


def too_long(root: Path) -> list[str]:
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in room_modules(root)}
    return [f"{path.relative_to(root)}: {n} lines" for path, n in counts.items() if n > LONGEST_MODULE]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def copy_of_the_rooms(to: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", to)
    for room in ROOMS:
        shutil.copytree(ROOT / room, to / room, ignore=shutil.ignore_patterns("__pycache__"))
    return to


def test_rooms_import_only_leftwards() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_to_the_right_is_refused_by_name(tmp_path: Path) -> None:
    copy = copy_of_the_rooms(tmp_path)
    (copy / "data" / "planted.py").write_text("import models\n", encoding="utf-8")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert "data.planted -> models" in done.stdout


def test_every_room_is_held_by_the_arrow_and_shipped() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = settings["tool"]["importlinter"]["contracts"]
    assert tuple(reversed(contract["layers"])) == ROOMS
    assert set(settings["tool"]["importlinter"]["root_packages"]) == set(ROOMS)
    assert set(settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(ROOMS)
    assert set(settings["tool"]["mypy"]["files"]) == set(ROOMS)


def test_only_the_sheets_open_the_directory_only_fairness_opens_protected_and_nobody_mlflows_models() -> None:
    assert openings_of_kept_apart(ROOT) == []


@pytest.mark.parametrize(
    ("where", "line", "said"),
    [
        ("features/planted.py", "from data.apart import read_directory as known\n", "read_directory"),
        ("models/planted.py", "import data.apart as a\nx = a.read_protected\n", "read_protected"),
        ("scoring/planted.py", "x = getattr(object, 'read_directory')\n", "read_directory"),
        ("reports/planted.py", "x = 'workspace/apart/protected.parquet'\n", "protected.parquet"),
        ("scoring/planted.py", "import mlflow\nx = mlflow.pyfunc.load_model('models:/a/1')\n", "load_model"),
        ("models/planted.py", "from models.standalone import _load_pyfunc\n", "_load_pyfunc"),
    ],
)
def test_a_module_that_opens_what_is_kept_apart_is_named(
    tmp_path: Path, where: str, line: str, said: str
) -> None:
    planted = tmp_path / where
    planted.parent.mkdir()
    planted.write_text(line, encoding="utf-8")
    (found,) = openings_of_kept_apart(tmp_path)
    assert found.startswith(f"{where}:")
    assert found.endswith(said)


def test_every_page_is_escaped_in_one_place() -> None:
    assert pages_of_their_own(ROOT) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from html import escape\n", "escapes text"),
        ("import html\n", "escapes text"),
        ("import jinja2\nx = jinja2.Environment(autoescape=True)\n", "makes templates"),
    ],
)
def test_a_module_that_makes_pages_its_own_way_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "planted.py").write_text(line, encoding="utf-8")
    (found,) = pages_of_their_own(tmp_path)
    assert found.startswith("reports/planted.py:") and found.endswith(said)


def test_no_module_holds_two_decisions() -> None:
    assert too_long(ROOT) == []


def test_a_module_that_is_too_long_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "long.py").write_text("x = 1\n" * (LONGEST_MODULE + 1), encoding="utf-8")
    assert too_long(tmp_path) == ["data/long.py: 401 lines"]


def test_no_library_may_report_to_its_makers(tmp_path: Path) -> None:
    """By the product itself with an empty environment, and by make for tests that never reach the command line."""
    code = "import os, pathlib, sys; from pipelines.third_parties import keep_quiet; keep_quiet(pathlib.Path(sys.argv[1])); print(*(f'{k}={v}' for k, v in os.environ.items()), sep='\\n')"
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [sys.executable, "-c", code, str(tmp_path / "workspace")]
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=True)
    said = dict(line.split("=", 1) for line in done.stdout.splitlines())
    makefile = dict(
        re.findall(r"^export (\w+) := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for name, value in TELEMETRY_OFF.items():
        assert said[name] == value
        assert makefile[name] == value
    assert said["PREFECT_HOME"] == str(tmp_path / "workspace" / "prefect")


def files_of_the_repository() -> list[str]:
    """What git holds or would take with the next `git add`."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of tracked files")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def names_with_personal_data(paths: Iterable[str]) -> list[str]:
    """Names that hold a mail address or the digits of a phone, and files of people or of a whole book.

    Books, lists and the files kept apart are Parquet, XLSX and CSV: none of them belongs into the repository,
    except small hand-made samples of a test.
    """
    personal = re.compile(r"@|\+?\d[\d ()-]{7,}\d")
    of_people = re.compile(r"(^|/)(directory|protected)\.[^/]*$|\.(parquet|xlsx|csv|csv\.gz|db)$")
    return [
        path
        for path in paths
        if personal.search(path.rpartition("/")[2])
        or (of_people.search(path) and not path.startswith("tests/"))
    ]


def test_no_file_of_the_repository_is_named_after_a_person_or_holds_a_book() -> None:
    assert names_with_personal_data(files_of_the_repository()) == []


def test_a_file_named_after_a_person_or_a_book_is_named() -> None:
    breaches = [
        "docs/sheet-+254 712 345678.html",
        "docs/a@b.example.md",
        "data/directory.csv",
        "notebooks/loans.parquet",
    ]
    assert (
        names_with_personal_data([*breaches, "docs/decisions/0001-rooms.md", "tests/data/loans.csv"])
        == breaches
    )


def test_make_alone_lists_every_target() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):(?!=)", makefile, flags=re.MULTILINE))
    own_environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))
    }
    done = subprocess.run(["make"], cwd=ROOT, env=own_environment, capture_output=True, text=True, check=True)
    listed = dict(line.removeprefix("make ").split(maxsplit=1) for line in done.stdout.splitlines())
    assert targets >= {"setup", "demo", "test", "test-fast", "check", "format", "lint", "types", "clean"}
    assert set(listed) == targets
    assert all(listed.values())


def requirement(text: str) -> tuple[str, str, str]:
    """Name, version range and marker of a requirement, in one spelling."""
    parsed = Requirement(text)
    return canonicalize_name(parsed.name), str(parsed.specifier), str(parsed.marker or "")


def locked(entry: Mapping[str, str]) -> tuple[str, str, str]:
    marker = f" ; {entry['marker']}" if "marker" in entry else ""
    return requirement(f"{entry['name']}{entry.get('specifier', '')}{marker}")


def differences_from_the_lock(pyproject: str, lock: str) -> list[str]:
    """What pyproject.toml asks for and uv.lock was not made from, and the other way round."""
    asked, made = tomllib.loads(pyproject), tomllib.loads(lock)
    (own,) = (package for package in made["package"] if package["name"] == asked["project"]["name"])
    pairs = {
        "dependencies": (asked["project"]["dependencies"], own["metadata"]["requires-dist"]),
        "dev": (asked["dependency-groups"]["dev"], own["metadata"]["requires-dev"]["dev"]),
    }
    found = []
    for group, (wanted, written) in pairs.items():
        for one in sorted({requirement(text) for text in wanted} ^ {locked(entry) for entry in written}):
            found.append(f"{group}: {one[0]}{one[1]}")
    if own["version"] != asked["project"]["version"]:
        found.append(f"version: {own['version']}")
    if made["requires-python"].replace(" ", "") != asked["project"]["requires-python"].replace(" ", ""):
        found.append(f"python: {made['requires-python']}")
    return found


def test_the_lock_was_made_from_pyproject() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "uv.lock")]
    assert differences_from_the_lock(*texts) == [], "run make lock"


def test_a_dependency_that_is_not_in_the_lock_is_named() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    asked = pyproject.replace("dependencies = [\n", 'dependencies = [\n  "planted>=3",\n', 1)
    assert differences_from_the_lock(asked, lock) == ["dependencies: planted>=3"]
