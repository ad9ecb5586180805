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
        probabilities = (heads[f"{i}.weight"] @ embedding + heads[f"{i}.bias"]).softmax(dim=0)
        print(f"  {task['name']}: {task['labels'][probabilities.argmax()]} ({probabilities.max():.0%})")
