"""Say the labels of sentences: python predict_onnx.py "A sentence." "B." (after: pip install -r requirements.txt)"""

import json
import sys
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

here, sentences = Path(__file__).resolve().parent, sys.argv[1:] or sys.exit(__doc__)
session, tasks = InferenceSession(here / "model.onnx"), json.loads((here / "mtst.json").read_text("utf-8"))["tasks"]
tokens = Tokenizer.from_file(str(here / "tokenizer.json")).encode_batch(sentences)
inputs = {"input_ids": [each.ids for each in tokens], "attention_mask": [each.attention_mask for each in tokens]}
inputs["token_type_ids"] = [each.type_ids for each in tokens]
wanted = {each.name: np.array(inputs[each.name], dtype=np.int64) for each in session.get_inputs()}
_, *heads = session.run(None, wanted)  # the first output holds the embeddings
for i, sentence in enumerate(sentences):
    print(sentence)
    for task, logits in zip(tasks, heads, strict=True):
        shares = np.exp(logits[i] - logits[i].max())
        print(f"  {task['name']}: {task['labels'][logits[i].argmax()]} ({shares.max() / shares.sum():.0%})")
