"""The page of features says what the catalogue says."""

import importlib.util
from pathlib import Path

from features.catalogue import FEATURES

ROOT = Path(__file__).parents[2]


def rendered() -> str:
    spec = importlib.util.spec_from_file_location("features_page", ROOT / "tools" / "features_page.py")
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page: str = tool.render()
    return page


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert page == rendered(), "run .venv/bin/python tools/features_page.py"


def test_every_feature_stands_on_it_once_and_in_one_table_a_family() -> None:
    page = rendered()
    for one in FEATURES:
        assert page.count(f"\n| `{one.name}` |") == 1, one.name
        assert page.count(f"\n## {one.family}\n") == 1, one.family
    assert "{value}" not in page and "{spoken}" not in page
