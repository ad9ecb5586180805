"""Train SetFit on a few labelled examples and score it; needs setfit only, nothing of mtst.

python setfit_run.py FILE.json    prints one line of JSON: accuracy, seconds, steps

The file holds train_texts, train_labels, test_texts, test_labels, encoder (a folder), seed, and num_iterations: how
often each text is paired with one of its own and one of another label, or null for SetFit's default (all pairs).
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments


def main(path: str) -> None:
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    labels = sorted(set(job["train_labels"]))
    rows = {"text": job["train_texts"], "label": [labels.index(label) for label in job["train_labels"]]}
    model = SetFitModel.from_pretrained(job["encoder"], labels=labels)
    with tempfile.TemporaryDirectory() as folder:
        # SetFit's defaults; but nothing is reported, and no checkpoint written, which would only take time.
        settings = TrainingArguments(
            output_dir=folder,
            seed=job["seed"],
            num_iterations=job["num_iterations"],
            report_to="none",
            save_strategy="no",
        )
        start = time.perf_counter()
        trainer = Trainer(model=model, args=settings, train_dataset=Dataset.from_dict(rows))
        trainer.train()
        seconds = time.perf_counter() - start
    predicted = model.predict(job["test_texts"])
    right = sum(one == other for one, other in zip(predicted, job["test_labels"], strict=True))
    steps = trainer.st_trainer.state.global_step
    print(json.dumps({"accuracy": right / len(predicted), "seconds": seconds, "steps": steps}))


if __name__ == "__main__":
    main(sys.argv[1])
