"""Encoders of many architectures with random weights, of width 32, saved in folders."""

import string

import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

LIKE_ROBERTA = {"roberta", "xlm-roberta", "longformer"}
SENTENCES = (
    "The striker scored twice in the cup final.",
    "She won the tennis tournament in straight sets.",
    "This soup needs more salt and pepper.",
    "The restaurant serves excellent noodles.",
)


def tiny_tokenizer(kind):
    """A tokenizer of letters and a few words: BPE for RoBERTa and its kin, WordPiece for the others."""
    if kind in LIKE_ROBERTA:
        cls, pad, sep, unk, mask = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
        made = Tokenizer(models.BPE(unk_token=unk))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        trainer = trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=[cls, pad, sep, unk, mask],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        made.train_from_iterator(SENTENCES, trainer)
    else:
        cls, pad, sep, unk, mask = "[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"
        pieces = [pad, cls, sep, unk, mask, "the", "and", ".", ",", *string.ascii_lowercase]
        pieces += [f"##{letter}" for letter in string.ascii_lowercase]
        made = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token=unk))
        made.normalizer = normalizers.Lowercase()
        made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", special_tokens=[(token, made.token_to_id(token)) for token in (cls, sep)]
    )
    names = {"cls_token": cls, "pad_token": pad, "sep_token": sep, "unk_token": unk, "mask_token": mask}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=48, **names)


def tiny_network(kind, tokenizer, blocks):
    """Return a randomly initialised network of width 32."""
    shared = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    usual = shared | {
        "max_position_embeddings": 64,
        "hidden_size": 32,
        "num_hidden_layers": blocks,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    t5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": blocks, "num_heads": 2}
    funnel = {"d_model": 32, "n_head": 2, "d_head": 16, "d_inner": 64, "block_sizes": [1] * blocks}
    bart = {"d_model": 32, "max_position_embeddings": 64}
    bart |= {f"{side}_{what}": 2 for side in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    markers = {"cls": tokenizer.cls_token_id, "sep": tokenizer.sep_token_id}
    markers |= {"bos": tokenizer.cls_token_id, "eos": tokenizer.sep_token_id}
    by_kind = {
        "bert": ("Bert", usual),
        "roberta": ("Roberta", usual),
        "mpnet": ("MPNet", usual),
        "distilbert": ("DistilBert", usual | {"dim": 32, "n_layers": blocks, "n_heads": 2, "hidden_dim": 64}),
        "xlm-roberta": ("XLMRoberta", usual),
        "electra": ("Electra", usual | {"embedding_size": 16}),
        "albert": ("Albert", usual | {"embedding_size": 16}),
        "deberta-v2": ("DebertaV2", usual | {"relative_attention": True, "position_biased_input": False}),
        "modernbert": ("ModernBert", usual | {f"{name}_token_id": token for name, token in markers.items()}),
        "longformer": ("Longformer", usual | {"attention_window": [8] * blocks}),
        "squeezebert": ("SqueezeBert", usual | {"embedding_size": 32}),
        "gemma3": ("Gemma3Text", usual | {"num_key_value_heads": 1, "head_dim": 16}),
        "nomic_bert": ("NomicBert", usual),
        "t5": ("T5", shared | t5),
        "canine": ("Canine", usual),
        "xlm": ("XLM", usual | {"emb_dim": 32, "n_layers": blocks, "n_heads": 2}),
        "funnel": ("Funnel", shared | funnel | {"num_decoder_layers": 1}),
        "bart": ("Bart", shared | bart),
    }
    name, values = by_kind[kind]
    model = "T5EncoderModel" if kind == "t5" else f"{name}Model"
    return getattr(transformers, model)(getattr(transformers, f"{name}Config")(**values))


def save_tiny_encoder(kind, folder, blocks=2):
    """Save a tiny random encoder: an architecture of Transformers, or `static`."""
    tokenizer = tiny_tokenizer(kind)
    torch.manual_seed(1)
    if kind == "static":
        modules = [StaticEmbedding(tokenizer, embedding_dim=32), Normalize()]
        SentenceTransformer(modules=modules).save_pretrained(str(folder), create_model_card=False)
    else:
        tiny_network(kind, tokenizer, blocks).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
