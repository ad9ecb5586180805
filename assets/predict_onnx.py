"""Print the labels of sentences: python predict_onnx.py "A sentence." "B." (after: pip install -r requirements.txt)"""

import json
import sys
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

folder, sentences = Path(__file__).resolve().parent, sys.argv[1:] or sys.exit(__doc__)
session, tasks = InferenceSession(folder / "model.onnx"), json.loads((folder / "mtst.json").read_text("utf-8"))["tasks"]
encodings = Tokenizer.from_file(str(folder / "tokenizer.json")).encode_batch(sentences)
tokens = {
    "input_ids": [encoding.ids for encoding in encodings],
    "attention_mask": [encoding.attention_mask for encoding in encodings],
    "token_type_ids": [encoding.type_ids for encoding in encodings],
}
inputs = {each.name: np.array(tokens[each.name], dtype=np.int64) for each in session.get_inputs()}
_, *logits = session.run(None, inputs)  # the first output holds the embeddings
for i, sentence in enumerate(sentences):
    print(sentence)
    for task, rows in zip(tasks, logits, strict=True):
        exponentials = np.exp(rows[i] - rows[i].max())
        probabilities = 1 / (1 + np.exp(-rows[i])) if task.get("multi") else exponentials / exponentials.sum()
        # The likeliest label, or in a multi-label task all that reach its threshold.
        threshold = task["threshold"] if task.get("multi") else probabilities.max()
        pairs = zip(task["labels"], probabilities, strict=True)
        chosen = [f"{label} ({probability:.0%})" for label, probability in pairs if probability >= threshold]
        print(f"  {task['name']}: {', '.join(chosen) or '(none)'}")
