"""Runs tools that live in environments of their own on the towers, photos and titles that are measured.

Knows a tool by the script that runs in its environment and prints {"seconds": ..., "rows": ...} as its last line.
"""

import csv
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast

from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.model.checkpoint import Checkpoint

AUTOGLUON = "AutoGluon's predict_proba, fp32"
CLIP_RETRIEVAL = "clip-retrieval's Runner, fp32"
TOOLS = {AUTOGLUON: "autogluon_predict.py", CLIP_RETRIEVAL: "clip_retrieval_embed.py"}


def other_jobs(
    pythons: Mapping[str, Path | None], checkpoint: Checkpoint, rows: Sequence[Listing], root: Path, work: Path
) -> dict[str, Callable[[], float]]:
    """For each tool that has a Python, what runs it once and returns listings a second.

    A tool takes the same towers, the first photo of each listing and, where it has to be fitted, labels without a
    meaning.
    """
    if not any(pythons.values()):
        return {}
    folder, table = work / "clip", work / "other_tools.csv"
    _save_clip(checkpoint, folder)
    with table.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["image", "title", "label"])
        lines.writerows([root / str(row.photos[0].path), row.title, number % 2] for number, row in enumerate(rows))

    def job(python: Path, script: str) -> Callable[[], float]:
        def run() -> float:
            command = [python, Path(__file__).with_name(script), folder, table]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            found = json.loads(output.splitlines()[-1])
            return float(found["rows"] / found["seconds"])

        return run

    return {tool: job(python, script) for tool, script in TOOLS.items() if (python := pythons[tool])}


def _save_clip(checkpoint: Checkpoint, folder: Path) -> None:
    """Both towers, the tokenizer and what a photo has to look like, as one CLIP checkpoint of transformers."""
    image, text = checkpoint.classifier.image_encoder.tower, checkpoint.classifier.text_encoder.tower
    model = CLIPModel(CLIPConfig(text_config=text.config.to_dict(), vision_config=image.config.to_dict()))
    model.load_state_dict({"logit_scale": model.logit_scale} | image.state_dict() | text.state_dict())
    model.save_pretrained(folder)
    CLIPImageProcessor().save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=checkpoint.tokenizer, pad_token="[PAD]", bos_token="[PAD]", eos_token="[PAD]"
    )
    tokenizer.save_pretrained(folder)
