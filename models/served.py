"""A model as it is used every morning: a folder with two readable files, named by what is in them.

`model.txt` is the booster's text, `model.json` everything else that a score depends on: the features in their order,
the label, the calibration (its map and those of its resamples; older ones of Platt scaling are read too), and what it was trained on. The folder's name is the BLAKE2b of both
files. Loading computes it again and refuses a folder whose contents are not what its name says.

Promised: no pickle and no code is read from the folder; saving writes whole folders only; the contributions of every
batch are checked to add up to the raw score. Not promised: that the folder is a secret, or that it cannot be
replaced by another whole one. Which model was live, and by whose word, is the affair of `registry`.

Contributions are SHAP values by `shap.TreeExplainer` (Lundberg 2020, path-dependent, exact), which for LightGBM
hands the work to the booster's own `pred_contrib`.
"""

import json
import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.digest import Json
from data.errors import DuesightError, RegistryError
from data.leftovers import unfinished
from data.manifest import folder_named
from features.settings import ArrearsSettings, LabelSettings
from models.booster import load_booster
from models.calibration import Calibrator, calibrator_of
from models.settings import TrainSettings

if TYPE_CHECKING:
    from lightgbm import Booster
    from shap import TreeExplainer

MODEL_TEXT, MODEL_JSON = "model.txt", "model.json"
ADDS_UP_WITHIN = 1e-9
"""Largest difference (log-odds) between a raw score and its base value plus contributions."""

_KEYS = (
    "calibration",
    "catalogue_digest",
    "features",
    "labels",
    "ledger_digest",
    "settings_digest",
    "trained_until",
)


@dataclass(frozen=True)
class ServedModel:
    """`text` is the content of model.txt, `json_text` of model.json. Made by `assemble` or `ServedModel.load`."""

    text: str
    json_text: str

    @staticmethod
    def load(folder: Path) -> "ServedModel":
        """The model in `<models_dir>/served/<digest>`. RegistryError where it is missing, changed or not readable."""
        try:
            model = ServedModel(
                (folder / MODEL_TEXT).read_bytes().decode(), (folder / MODEL_JSON).read_bytes().decode()
            )
        except (OSError, UnicodeDecodeError) as problem:
            raise RegistryError(
                f"{folder}: the model cannot be read ({problem.__class__.__name__}); restore the folder from a copy, or promote another version."
            ) from problem
        if model.digest != folder.name:
            raise RegistryError(
                f"{folder}: {MODEL_TEXT} or {MODEL_JSON} was changed after training (their digest is now {model.digest}); restore the folder from a copy, or promote another version."
            )
        missing = [key for key in _KEYS if key not in model.about]
        if missing:
            raise RegistryError(
                f"{folder}/{MODEL_JSON}: {missing[0]} is missing; the model was written by another release, train it again."
            )
        _ = model.calibrator  # one that cannot be read is refused here, before a list is begun
        return model

    def save(self, models_dir: Path) -> Path:
        """Write `<models_dir>/served/<digest>/` whole or not at all, and return it. An equal folder stays as it is."""
        served = models_dir / "served"
        folder = served / self.digest
        if folder.exists():
            ServedModel.load(folder)
            return folder
        beside = unfinished(served, self.digest)
        try:
            for name, content in ((MODEL_TEXT, self.text), (MODEL_JSON, self.json_text)):
                with folder_named(served), (beside / name).open("wb") as file:
                    file.write(content.encode())
                    file.flush()
                    os.fsync(file.fileno())
            beside.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            ServedModel.load(folder)  # another run was quicker with the same model
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return folder

    @cached_property
    def digest(self) -> str:
        """BLAKE2b-256 (hex) over the names, lengths and bytes of both files."""
        digest = blake2b(digest_size=32)
        for name, content in ((MODEL_TEXT, self.text.encode()), (MODEL_JSON, self.json_text.encode())):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    @cached_property
    def about(self) -> dict[str, object]:
        """model.json as it stands."""
        content = json.loads(self.json_text)
        if not isinstance(content, dict):
            raise RegistryError(f"{MODEL_JSON} holds no object; train the model again.")
        return content

    @cached_property
    def features(self) -> list[str]:
        """Names of the columns of X, in order."""
        return [str(name) for name in _sequence(self.about["features"])]

    @cached_property
    def labels(self) -> LabelSettings:
        return LabelSettings.model_validate(self.about["labels"])

    @cached_property
    def arrears(self) -> ArrearsSettings:
        """How days late were counted; a model from before there were such settings was counted by the defaults."""
        return ArrearsSettings.model_validate(self.about.get("arrears", {}))

    @cached_property
    def settings(self) -> TrainSettings:
        """The settings it was fitted with. RegistryError where the model does not say them, or other ones than this release knows."""
        try:
            return TrainSettings.model_validate(self.about["train"])
        except (KeyError, ValueError) as problem:
            raise RegistryError(
                f"{MODEL_JSON} of model {self.digest[:12]} does not say the settings it was fitted with, or other ones than this "
                "release knows: it was written by another release, train it again."
            ) from problem

    @property
    def refit_of(self) -> str | None:
        """The digest of the version that was judged, where this is a refit of it on all months; else None."""
        said = self.about.get("refit_of")
        return None if said is None else str(said)

    @property
    def catalogue_digest(self) -> str:
        return str(self.about["catalogue_digest"])

    @property
    def ledger_digest(self) -> str:
        return str(self.about["ledger_digest"])

    @property
    def settings_digest(self) -> str:
        return str(self.about["settings_digest"])

    @property
    def caveats(self) -> list[str]:
        """What must be known before it is believed; repeated in every manifest and on every sheet."""
        return [str(caveat) for caveat in _sequence(self.about["caveats"])]

    @property
    def trained_until(self) -> date:
        """Nothing known after this day was used."""
        return date.fromisoformat(str(self.about["trained_until"]))

    @cached_property
    def calibrator(self) -> Calibrator:
        """Raises RegistryError where this release cannot read it."""
        kept = self.about["calibration"]
        if not isinstance(kept, dict):
            raise RegistryError(f"{MODEL_JSON}: calibration holds no object; train the model again.")
        try:
            return calibrator_of(kept)
        except (KeyError, TypeError, ValueError) as problem:
            raise RegistryError(
                f"{MODEL_JSON}: this release cannot read the calibration ({problem}); the model was written by another "
                "release: use that one, train again, or promote another version."
            ) from problem

    @cached_property
    def booster(self) -> "Booster":
        return load_booster(self.text)

    @cached_property
    def _explainer(self) -> "TreeExplainer":
        import shap

        return shap.TreeExplainer(self.booster)

    def raw_scores(self, X: np.ndarray) -> np.ndarray:
        """Log-odds (float64, n) of X: float64, n x p, columns in the order of `features`, NaN where missing."""
        X = self._checked(X)
        if len(X) == 0:
            return np.zeros(0)
        return np.asarray(self.booster.predict(X, raw_score=True), np.float64)

    def contributions(self, X: np.ndarray) -> tuple[np.ndarray, float]:
        """SHAP contributions (float64, n x p, log-odds) and the base value: raw score = base value + row sum.

        Memory grows with n x p: call it batch by batch. Raises DuesightError where a row does not add up within
        `ADDS_UP_WITHIN`, so a reason that does not belong to its score never reaches a list.
        """
        X = self._checked(X)
        if len(X) == 0:
            return np.zeros(X.shape), float("nan")
        with warnings.catch_warnings():
            # shap announces a change of its output's shape on every call; the shape is checked below.
            warnings.filterwarnings("ignore", message="LightGBM binary classifier with TreeExplainer")
            values = np.asarray(self._explainer.shap_values(X, check_additivity=False), np.float64)
        base = float(np.ravel(self._explainer.expected_value)[-1])
        if values.shape != X.shape:
            raise DuesightError(
                f"The installed shap returns contributions of shape {values.shape} for {X.shape}; install the locked version."
            )
        off = float(np.abs(values.sum(axis=1) + base - self.raw_scores(X)).max())
        if not off <= ADDS_UP_WITHIN:
            raise DuesightError(
                f"Contributions of model {self.digest[:12]} differ from its raw scores by up to {off:.2g}, more than {ADDS_UP_WITHIN:.0e}; nothing was explained. Install the locked versions of lightgbm and shap."
            )
        return values, base

    def pd(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probability (float64, n) of the label at raw log-odds (n)."""
        return self.calibrator.pd(raw)

    def pd_interval(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(low, high): 90 % interval of the calibrated PD at each score; not an interval for one person."""
        return self.calibrator.pd_interval(raw)

    def _checked(self, X: np.ndarray) -> np.ndarray:
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise ValueError(f"the model takes n x {len(self.features)} features, not {X.shape}")
        return X


def assemble(
    text: str,
    features: Sequence[str],
    labels: LabelSettings,
    arrears: ArrearsSettings,
    calibrator: Calibrator,
    fitted_on: str,
    trained_until: date,
    train: TrainSettings,
    caveats: Sequence[str],
    panel: Mapping[str, Json],
    ledger_digest: str,
    catalogue_digest: str,
    settings_digest: str,
    seed: int,
    versions: Mapping[str, str],
    refit_of: str | None = None,
) -> ServedModel:
    """A model ready to be saved. `fitted_on`: a sentence on what the calibration stands; `panel`: facts of the panel;
    `caveats`: what must be known before it is believed, told again on every list it draws; `train`: the settings it was fitted with; `refit_of`: the digest of
    the version whose settings these were, where it is a refit."""
    about = {
        "name": labels.model_name(),
        "features": list(features),
        "labels": labels.model_dump(mode="json"),
        "arrears": arrears.model_dump(mode="json"),
        "calibration": {**calibrator.as_json(), "fitted_on": fitted_on},
        "trained_until": trained_until.isoformat(),
        "train": train.model_dump(mode="json"),
        **({} if refit_of is None else {"refit_of": refit_of}),
        "caveats": list(caveats),
        "panel": dict(panel),
        "ledger_digest": ledger_digest,
        "catalogue_digest": catalogue_digest,
        "settings_digest": settings_digest,
        "seed": seed,
        "versions": dict(versions),
    }
    return ServedModel(
        text, json.dumps(about, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )


def _sequence(value: object) -> list[object]:
    if not isinstance(value, list):
        raise RegistryError(f"{MODEL_JSON}: holds no list where one belongs; train the model again.")
    return value
