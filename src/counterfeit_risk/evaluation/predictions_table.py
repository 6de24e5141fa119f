"""Predictions in Parquet, by split: what a run keeps of its model, so that risks can be calibrated and cut anew.

Knows no model.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from counterfeit_risk.evaluation.predictions import HEADS, Predictions

_SLICE = "slice_"


def write_predictions(path: Path, by_split: Mapping[str, Predictions]) -> None:
    """Writes one table: `split`, `listing_id`, `label`, a logit a head, `group` and a `slice_` column a slice."""
    pq.write_table(pa.concat_tables([_to_table(split, one) for split, one in by_split.items()]), path)


def read_predictions(path: Path, split: str) -> Predictions:
    """Reads one split of what `write_predictions` wrote."""
    table = pq.read_table(path)
    table = table.filter(pc.equal(table.column("split"), split))
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    return Predictions(
        listing_ids=tuple(columns["listing_id"].tolist()),
        labels=columns["counterfeit"].astype(np.bool_),
        logits=np.column_stack([columns[f"{head}_logit"].astype(np.float64) for head in HEADS]),
        groups=columns["group"],
        slices={name.removeprefix(_SLICE): column for name, column in columns.items() if name.startswith(_SLICE)},
    )


def _to_table(split: str, predictions: Predictions) -> pa.Table:
    logits = {
        f"{head}_logit": pa.array(predictions.logits[:, column], from_pandas=True) for column, head in enumerate(HEADS)
    }
    slices = {f"{_SLICE}{name}": pa.array(values.astype(object)) for name, values in predictions.slices.items()}
    return pa.table(
        {
            "split": [split] * len(predictions.listing_ids),
            "listing_id": list(predictions.listing_ids),
            "counterfeit": predictions.labels,
            **logits,
            "group": predictions.groups,
            **slices,
        }
    )
