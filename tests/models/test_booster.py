import numpy as np

from models.booster import fit_booster, load_booster
from models.settings import TrainSettings
from models.shape import Shape

FEATURES = ["days_past_due", "attr_größe 1", 'attr_a"b', "attr_a_b"]
SETTINGS = TrainSettings(rounds=8)


def _rows(rows: int = 3000) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, len(FEATURES))).round(1)  # few bins, so that sums over many rows are taken
    X[::7, 1] = np.nan
    return {
        "X": X,
        "y": (random.random(rows) < 1 / (1 + np.exp(1 - X[:, 0] * 2))).astype(np.int8),
        "weight": random.choice([1 / 4, 1 / 3, 1.0], rows),
        "as_of_days": np.arange(rows) // 50,
        "loans": np.array([f"L{n % 50}" for n in range(rows)]),
    }


def _fit(rows: dict[str, np.ndarray], threads: int | None = None) -> str:
    return fit_booster(
        **rows, features=FEATURES, shape=Shape.of(SETTINGS), settings=SETTINGS, threads=threads
    )


def test_the_text_is_the_same_for_any_order_of_rows() -> None:
    rows = _rows()
    shuffled = np.random.default_rng(5).permutation(len(rows["y"]))
    assert _fit(rows) == _fit({name: values[shuffled] for name, values in rows.items()})


def test_the_text_is_the_same_for_any_number_of_threads_and_names_none() -> None:
    rows = _rows()
    text = _fit(rows, threads=1)
    assert text == _fit(rows, threads=2)
    assert "num_threads" not in text


def test_other_labels_give_another_text() -> None:
    rows = _rows()
    assert _fit(rows) != _fit({**rows, "y": 1 - rows["y"]})


def test_weights_are_used() -> None:
    rows = _rows()
    assert _fit(rows) != _fit({**rows, "weight": np.ones(len(rows["y"]))})


def test_a_loaded_text_predicts_at_the_rate_of_the_book() -> None:
    rows = _rows()
    raw = np.asarray(load_booster(_fit(rows)).predict(rows["X"], raw_score=True))
    pd = 1 / (1 + np.exp(-raw))
    assert abs(np.average(pd, weights=rows["weight"]) - np.average(rows["y"], weights=rows["weight"])) < 0.01
    assert np.corrcoef(raw, rows["X"][:, 0])[0, 1] > 0.7


def test_order_makes_no_difference_even_where_bins_come_from_a_sample_of_the_rows() -> None:
    """Above 200,000 rows LightGBM finds its bins on a sample of positions: without sorting, order would matter."""
    rows, random = 201_000, np.random.default_rng(0)
    X = random.normal(size=(rows, 1))
    book = {
        "X": X,
        "y": (X[:, 0] + random.normal(size=rows) > 1).astype(np.int8),
        "weight": np.ones(rows),
        "as_of_days": np.arange(rows) // 1000,
        "loans": np.char.mod("L%03d", np.arange(rows) % 1000),
    }
    back = slice(None, None, -1)
    texts = [
        fit_booster(
            **order,
            features=["principal"],
            shape=Shape.of(TrainSettings(rounds=2)),
            settings=TrainSettings(),
            threads=1,
        )
        for order in (book, {name: values[back] for name, values in book.items()})
    ]
    assert texts[0] == texts[1]
