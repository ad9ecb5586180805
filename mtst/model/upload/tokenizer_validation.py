"""The tokenizer of a model that came from anywhere: whether it is put together from what is known.

A text becomes tokens in time and memory that grow with its length, and little more, if no part makes it much longer
and no word is looked at in all of its pieces. So parts have to be known, come once, and keep to sizes.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from mtst.errors import ModelError
from mtst.model.storage import invalid_model
from mtst.model.upload.charsmap import is_sound

SEQUENCES = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}
LENGTHEN = {"BertNormalizer", "NFD", "NFKC", "NFKD", "Precompiled"}  # what a text is; one of them is enough
PARTS = {
    "normalizer": LENGTHEN | {"Lowercase", "NFC", "Nmt", "Replace", "Strip", "StripAccents"},
    "pre_tokenizer": {
        "BertPreTokenizer", "ByteLevel", "Digits", "Metaspace", "Punctuation", "Whitespace", "WhitespaceSplit"
    },
    "post_processor": {"BertProcessing", "ByteLevel", "RobertaProcessing", "TemplateProcessing"},
    "decoder": {"BPEDecoder", "ByteLevel", "Metaspace", "WordPiece"},
}  # fmt: skip
PREFIXES = {"continuing_subword_prefix", "end_of_word_suffix", "unk_token"}
MODELS = {
    "BPE": {"byte_fallback", "dropout", "fuse_unk", "ignore_merges", "merges"} | PREFIXES,
    "Unigram": {"byte_fallback", "unk_id"},
    "WordLevel": {"unk_token"},
    "WordPiece": {"continuing_subword_prefix", "max_input_chars_per_word", "unk_token"},
}
CLASSES = {"PreTrainedTokenizer", "TokenizersBackend"} | {
    f"{network}Tokenizer" for network in ("Bert", "DistilBert", "MPNet", "Roberta", "XLMRoberta")
}
# What the settings may say in words and in lists; numbers and flags are taken as they are.
WORDS = {
    "backend", "errors", "name_or_path", "padding_side", "processor_class", "special_tokens_map_file",
    "truncation_side", "truncation_strategy",
}  # fmt: skip
LISTS = {
    "added_tokens_decoder", "additional_special_tokens", "extra_special_tokens", "model_input_names",
    "model_specific_special_tokens", "never_split",
}  # fmt: skip
MAX_PARTS, MAX_WORD, MAX_ADDED, MAX_AROUND = 16, 100, 1_000, 8
MAX_TOKEN, MAX_PIECE = 256, 64  # characters; a Unigram model tries pieces of all lengths at every place of a text


def check_tokenizer(described: Mapping[str, Any], settings: Iterable[Mapping[str, Any]]) -> None:
    """Make sure that a tokenizer is quick with every text.

    Args:
        described: what `tokenizer.json` holds.
        settings: what the files beside it hold.

    Raises:
        ModelError: it might not be; the message says what is wrong.
    """
    if unknown := described.keys() - {"version", "truncation", "padding", "added_tokens", "model", *PARTS}:
        raise _refused(f"has {min(unknown)[:40]!r} in it")
    for kind in PARTS:
        _check_parts(kind, described.get(kind))
    _check_model(described.get("model"))
    if not _are_tokens(described.get("added_tokens") or []):
        raise _refused(f"adds something else than up to {MAX_ADDED:,} tokens")
    if described.get("padding") or _asked(described.get("truncation") or {}, "stride"):
        raise _refused("pads texts, or cuts them into several")
    for each in settings:
        _check_settings(each)


def check_class(name: object) -> None:
    """Make sure that a class of tokenizers is one of those that read `tokenizer.json`, and of a known network.

    Raises:
        ModelError: it is not.
    """
    if name is not None and (not isinstance(name, str) or name.removesuffix("Fast") not in CLASSES):
        raise invalid_model(f"its tokenizer is of the class {str(name)[:40]!r}")


def _check_parts(kind: str, part: Any) -> None:
    """Let a text go through known parts, none of them twice, and become much longer once at most."""
    whole = _asked(part, "type") == "Sequence"
    parts = part.get(SEQUENCES[kind]) if whole else [part] if part is not None else []
    if not isinstance(parts, list) or len(parts) > MAX_PARTS:
        raise _refused(f"has no {kind} that is known")
    types = [str(_asked(each, "type")) for each in parts]
    for each, name in zip(parts, types, strict=True):
        if name not in PARTS[kind]:
            raise _refused(f"has the {kind} {name[:40]!r}")
        if name in CAREFUL and not CAREFUL[name](each):
            raise _refused(f"has the {kind} {name!r}, which would make a text longer than it may")
    once = [name for name in types if name != "Replace"]
    if len(set(once)) < len(once) or len(LENGTHEN & set(once)) > 1:
        raise _refused(f"has a {kind} that makes a text longer again and again: {', '.join(types)}")


def _replaces(part: Mapping[str, Any]) -> bool:
    """Tell whether a part puts nothing longer in place of a text."""
    text, content = _asked(part.get("pattern"), "String"), part.get("content")
    return isinstance(text, str) and isinstance(content, str) and len(content) <= len(text)


def _maps(part: Mapping[str, Any]) -> bool:
    """Tell whether a part puts short texts in place of others."""
    table = part.get("precompiled_charsmap")
    try:
        return isinstance(table, str) and is_sound(base64.b64decode(table, validate=True))
    except (binascii.Error, ValueError):
        return False


def _surrounds(part: Mapping[str, Any]) -> bool:
    """Tell whether a part puts some tokens around a text, and the text itself there once."""
    special = part.get("special_tokens")
    if not isinstance(special, dict):
        return False
    for form in (part.get("single"), part.get("pair")):
        if not isinstance(form, list) or len(form) > MAX_AROUND:
            return False
        texts = [str(_asked(_asked(piece, "Sequence"), "id")) for piece in form if not _asked(piece, "SpecialToken")]
        if len(set(texts)) < len(texts):
            return False
    ids = [_asked(each, "ids") for each in special.values()]
    return all(isinstance(each, list) and len(each) <= MAX_AROUND for each in ids)


CAREFUL = {"Replace": _replaces, "Precompiled": _maps, "TemplateProcessing": _surrounds}


def _check_model(model: Any) -> None:
    """Let words be short where all of their pieces are tried, and tokens everywhere."""
    kind, vocabulary = _asked(model, "type"), _asked(model, "vocab")
    known = isinstance(kind, str) and kind in MODELS and isinstance(vocabulary, dict | list)
    if not known or not model.keys() <= {"type", "vocab", *MODELS[kind]}:
        raise _refused(f"has the model {str(kind)[:40]!r}, or one with more to it than that has")
    longest = model.get("max_input_chars_per_word", MAX_WORD)
    if not isinstance(longest, int) or longest > MAX_WORD:
        raise _refused(f"looks for the pieces of words of {str(longest)[:20]} characters; {MAX_WORD} are the most")
    listed = [pair[0] if isinstance(pair, list) and pair else pair for pair in vocabulary or ()]
    affixes = [model.get(name) or "" for name in PREFIXES]
    most = MAX_PIECE if kind == "Unigram" else MAX_TOKEN
    if not listed or not all(_is_token(each, most) for each in (*listed, *affixes)):
        raise _refused(f"knows something else than tokens of up to {most} characters")


def _check_settings(settings: Mapping[str, Any]) -> None:
    """Let settings name tokens and ways to cut a text, but neither files nor parts."""
    if len(settings) > MAX_ADDED:
        raise invalid_model(f"the settings of its tokenizer say more than {MAX_ADDED:,} things")
    for name, value in settings.items():
        word = isinstance(value, str) and len(value) <= 1_000 and name in WORDS
        token = name.endswith("_token") and _are_tokens([value])
        tokens = name in LISTS and _are_tokens(list(value.values()) if isinstance(value, dict) else value)
        if name == "tokenizer_class":
            check_class(value)
        elif not (value is None or isinstance(value, int | float) or word or token or tokens):
            raise invalid_model(f"the settings of its tokenizer say {name[:40]!r}: {str(value)[:60]}")


def _are_tokens(found: Any) -> bool:
    """Tell whether something is a list of tokens, each a text or the description of one."""
    listed = isinstance(found, list) and len(found) <= MAX_ADDED
    return listed and all(_is_token(_asked(each, "content") if isinstance(each, dict) else each) for each in found)


def _is_token(text: Any, most: int = MAX_TOKEN) -> bool:
    return isinstance(text, str) and len(text) <= most


def _asked(part: Any, name: str) -> Any:
    """Return what a part of some JSON says under a name; nothing if it is no object."""
    return part.get(name) if isinstance(part, dict) else None


def _refused(why: str) -> ModelError:
    return invalid_model(f"tokenizer.json {why}")
