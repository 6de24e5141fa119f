"""Times AutoGluon's `predict_proba` on a CLIP checkpoint, for `scoring.py --autogluon`.

`PYTHON scripts/bench/autogluon_predict.py CHECKPOINT TABLE`, where PYTHON has `autogluon.multimodal`; this package need
not be there, and is not imported. CHECKPOINT is a folder as transformers writes it; TABLE is a CSV file with columns
image (an absolute path), title and label. It does not know what the model is worth: that is trained for one step,
because AutoGluon predicts only with a model that it has fitted.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from autogluon.multimodal import MultiModalPredictor

_FITTED_ON = 16
_WARMED_ON = 4


def fit(checkpoint: Path, table: pd.DataFrame, folder: Path) -> MultiModalPredictor:
    """Fits AutoGluon's `clip` model; whatever its speed at prediction depends on keeps its default."""
    few = table[:_FITTED_ON]
    predictor = MultiModalPredictor(
        label="label", problem_type="binary", path=str(folder), verbosity=1, enable_progress_bar=False
    )
    return predictor.fit(
        few,
        tuning_data=few,
        column_types={"image": "image_path", "title": "text"},
        hyperparameters={
            "model.names": ["clip"],
            "model.clip.checkpoint_name": str(checkpoint),
            "model.clip.tokenizer_name": "hf_auto",
            "optim.max_steps": 1,
            "optim.top_k": 1,
            "optim.peft": "bit_fit",
        },
    )


def main() -> None:
    """Prints {"seconds": ..., "rows": ...} as the last line."""
    checkpoint, table = Path(sys.argv[1]), pd.read_csv(sys.argv[2], keep_default_na=False)
    rows = table.drop(columns="label")
    with tempfile.TemporaryDirectory() as name:
        predictor = fit(checkpoint, table, Path(name) / "predictor")
        predictor.predict_proba(rows[:_WARMED_ON])
        started = time.monotonic()
        predictor.predict_proba(rows)
        seconds = time.monotonic() - started
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "rows": len(rows)}) + "\n")


if __name__ == "__main__":
    main()
