"""Print the labels of sentences: python predict.py "A sentence." "Another." (after: pip install -r requirements.txt)"""

import json
import sys
from pathlib import Path

from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

folder, sentences = Path(__file__).resolve().parent, sys.argv[1:] or sys.exit(__doc__)
heads, tasks = load_file(folder / "heads.safetensors"), json.loads((folder / "mtst.json").read_text("utf-8"))["tasks"]
embeddings = SentenceTransformer(str(folder), device="cpu").encode(sentences, convert_to_tensor=True)
for sentence, embedding in zip(sentences, embeddings, strict=True):
    print(sentence)
    for i, task in enumerate(tasks):
        logits = heads[f"{i}.weight"] @ embedding + heads[f"{i}.bias"]
        probabilities = logits.sigmoid() if task.get("multi") else logits.softmax(dim=0)
        # The likeliest label, or in a multi-label task all that reach its threshold.
        threshold = task["threshold"] if task.get("multi") else probabilities.max()
        pairs = zip(task["labels"], probabilities, strict=True)
        chosen = [f"{label} ({probability:.0%})" for label, probability in pairs if probability >= threshold]
        print(f"  {task['name']}: {', '.join(chosen) or '(none)'}")
