"""How far a model lets itself be fooled by what was planted in the demo lender and does nothing.

Two models are trained on the same book: one as the demo's mapping reads it, one that is also given the number of the form
and whether its date was written short. Nothing in the lender follows from either. Printed are the share of the second
model's explanations (mean absolute SHAP contribution of its 20 largest features) that goes to the two, and both models'
AUC on snapshots of a later time.

    .venv/bin/python benchmarks/planted.py [--loans 4000] [--seeds 3]
"""

import argparse
import tempfile
from pathlib import Path

from data.demo.simulate import simulate
from pipelines.progress import say_nothing
from pipelines.steps import Here, ingest_export, train_model
from pipelines.third_parties import keep_quiet
from pipelines.workspace import Workspace

MAPPING = Path(__file__).parents[1] / "data" / "mappings" / "demo.toml"
PLANTED = """attr_form_no = { column = "FormNo", type = "number" }
attr_date_is_short = { sql = "CASE WHEN length(WrittenOn) < 10 THEN 1 ELSE 0 END", type = "number" }
attr_monthly_sales ="""


def trained(export: Path, mapping: Path, workspace: Path) -> tuple[float, float]:
    """(AUC over all judged snapshots, share of the explanations that goes to what was planted)."""
    here = Here.of(Workspace(workspace))
    ingest_export(here, export, mapping, None, say_nothing)
    summary = train_model(here, None, say_nothing).summary
    (auc,) = (
        row["auc"] for row in summary["measures"] if (row["ranker"], row["stratum"]) == ("model", "all")
    )
    sizes = {row["feature"]: row["mean_abs"] for row in summary["importance"]}
    fooled = sum(sizes.get(name, 0.0) for name in ("attr_form_no", "attr_date_is_short"))
    return float(auc or "nan"), fooled / sum(sizes.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loans", type=int, default=4_000)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    print("| seed | AUC without | AUC with what was planted | its share of the explanations |")
    print("|---|---|---|---|")
    for seed in range(7, 7 + given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            keep_quiet(place / "home")
            simulate(place / "export", given.loans, seed)
            fooled = place / "fooled.toml"
            fooled.write_text(MAPPING.read_text().replace("attr_monthly_sales =", PLANTED))
            plain, _ = trained(place / "export", MAPPING, place / "plain")
            with_planted, share = trained(place / "export", fooled, place / "with")
            print(f"| {seed} | {plain:.3f} | {with_planted:.3f} | {share:.1%} |", flush=True)


if __name__ == "__main__":
    main()
