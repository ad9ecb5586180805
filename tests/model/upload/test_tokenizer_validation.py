"""The tokenizer of a model that somebody sends: the usual ones pass, and none that makes a text longer and longer."""

import base64
import json
import string

import pytest
import transformers

from mtst.encoders.loading import load_encoder
from mtst.errors import ModelError
from mtst.model.upload.tokenizer_validation import check_class, check_tokenizer
from tests.model.upload.test_charsmap import table

LETTERS = {letter: place for place, letter in enumerate(string.ascii_lowercase)}
NAMES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BERT_NAMES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
USUAL = {
    "BERT": lambda: transformers.BertTokenizer(_numbered(*BERT_NAMES)),
    "DistilBERT": lambda: transformers.DistilBertTokenizer(_numbered(*BERT_NAMES), do_lower_case=False),
    "MPNet": lambda: transformers.MPNetTokenizer(_numbered(*NAMES, "[UNK]")),
    "RoBERTa": lambda: transformers.RobertaTokenizer(_numbered(*NAMES), [("a", "b")]),
    "XLM-RoBERTa": lambda: transformers.XLMRobertaTokenizer(
        [(text, 0.0) for text in _numbered(*NAMES)], _spm_precompiled_charsmap=table()
    ),
}
DOUBLE = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
TEMPLATE = {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}
TEXT, CLS = {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "c", "type_id": 0}}


def _numbered(*names):
    return {name: place for place, name in enumerate((*names, "ab", *LETTERS))}


def charsmap(content):
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(content).decode()}


def sequence(name, *parts):
    return {"type": "Sequence", name: list(parts)}


def template(*single, ids=(0,)):
    return TEMPLATE | {"single": list(single), "special_tokens": {"c": {"id": "c", "ids": list(ids), "tokens": ["c"]}}}


def normalizers(*parts):
    return sequence("normalizers", *parts)


@pytest.fixture
def described(tiny_folder, tmp_path):
    """What `tokenizer.json` says of a tokenizer that was saved here."""
    load_encoder(str(tiny_folder())).backbone.tokenizer.save_pretrained(tmp_path)
    return json.loads((tmp_path / "tokenizer.json").read_text())


@pytest.mark.parametrize("make", USUAL.values(), ids=USUAL)
def test_the_usual_tokenizers_pass(make, tmp_path):
    made = make()
    made(["cab"])
    made.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    check_tokenizer(json.loads((tmp_path / "tokenizer.json").read_text()), [settings])
    again = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (type(again), again("cab")["input_ids"]) == (type(made), made("cab")["input_ids"])


@pytest.mark.parametrize(
    "part",
    [
        {"type": "Replace", "pattern": {"String": "ab"}, "content": "x"},
        normalizers({"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}),
        normalizers(charsmap(table()), {"type": "Strip", "strip_left": True, "strip_right": True}),
        None,
    ],
)
def test_parts_that_keep_a_text_short_pass(described, part):
    check_tokenizer(described | {"normalizer": part}, [])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"normalizer": DOUBLE}, "Replace"),
        ({"normalizer": normalizers(*[DOUBLE] * 16)}, "Replace"),
        ({"normalizer": {"type": "Replace", "pattern": {"Regex": "a"}, "content": ""}}, "Replace"),
        ({"normalizer": {"type": "Prepend", "prepend": "a" * 1000}}, "the normalizer 'Prepend'"),
        ({"normalizer": charsmap(table(b"o" * 1000 + b"\0"))}, "Precompiled"),
        ({"normalizer": charsmap(table()[:-600])}, "Precompiled"),
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "?"}}, "Precompiled"),
        ({"normalizer": normalizers({"type": "NFKD"}, charsmap(table()))}, "again and again: NFKD, Precompiled"),
        ({"normalizer": normalizers({"type": "NFKD"}, {"type": "NFKD"})}, "again and again"),
        ({"normalizer": normalizers(normalizers())}, "the normalizer 'Sequence'"),
        ({"normalizer": normalizers(*[{"type": "Replace"}] * 17)}, "no normalizer that is known"),
        ({"normalizer": []}, "the normalizer 'None'"),
        ({"pre_tokenizer": sequence("pretokenizers", *[{"type": "ByteLevel"}] * 2)}, "again and again"),
        ({"pre_tokenizer": {"type": "Split", "pattern": {"String": ""}}}, "the pre_tokenizer 'Split'"),
        ({"post_processor": template(CLS, TEXT, TEXT)}, "TemplateProcessing"),
        ({"post_processor": template(*[CLS] * 9)}, "TemplateProcessing"),
        ({"post_processor": template(CLS, TEXT, ids=[0] * 9)}, "TemplateProcessing"),
        ({"post_processor": template(7, 7)}, "TemplateProcessing"),
        ({"decoder": {"type": "Replace"}}, "the decoder 'Replace'"),
        ({"padding": {"strategy": {"Fixed": 10**9}}}, "pads texts"),
        ({"truncation": {"max_length": 48, "stride": 47}}, "cuts them into several"),
        ({"added_tokens": [{"content": f"{n}"} for n in range(1_001)]}, "up to 1,000 tokens"),
        ({"added_tokens": [{"content": "a" * 257}]}, "up to 1,000 tokens"),
        ({"model": None}, "the model 'None'"),
        ({"model": {"type": "Evil", "vocab": {"a": 0}}}, "the model 'Evil'"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0}, "more": 1}}, "more to it"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0}, "max_input_chars_per_word": 101}}, "101 characters; 100"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0}, "max_input_chars_per_word": "x"}}, "of x characters"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0}, "continuing_subword_prefix": "#" * 257}}, "up to 256"),
        ({"model": {"type": "BPE", "vocab": {"a" * 257: 0}, "merges": []}}, "up to 256 characters"),
        ({"model": {"type": "Unigram", "vocab": [["a" * 65, 0.0]]}}, "up to 64 characters"),
        ({"model": {"type": "Unigram", "vocab": [[], {}]}}, "up to 64 characters"),
        ({"model": {"type": "WordLevel", "vocab": {}}}, "something else than tokens"),
        ({"more": 1}, "'more' in it"),
    ],
)
def test_what_could_take_long_is_refused(described, changed, words):
    with pytest.raises(ModelError, match=r"tokenizer\.json") as caught:
        check_tokenizer(described | changed, [])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tokenizer_class": "LlamaTokenizer"}, "of the class 'LlamaTokenizer'"),
        ({"tokenizer_class": ["BertTokenizer"]}, "of the class"),
        ({"tokenizer_file": "/etc/passwd"}, "'tokenizer_file': /etc/passwd"),
        ({"vocab": {"a": 0}}, "'vocab'"),
        ({"init_inputs": [["a"]]}, "'init_inputs'"),
        ({"chat_template": [{"name": "a", "template": "b"}]}, "'chat_template'"),
        ({"cls_token": "a" * 257}, "'cls_token'"),
        ({"extra_special_tokens": ["a"] * 1_001}, "'extra_special_tokens'"),
        ({"added_tokens_decoder": {"0": {"content": 1}}}, "'added_tokens_decoder'"),
        ({f"{n}": n for n in range(1_001)}, "more than 1,000 things"),
    ],
)
def test_settings_that_say_more_than_they_should_are_refused(described, settings, words):
    with pytest.raises(ModelError, match="tokenizer") as caught:
        check_tokenizer(described, [settings])
    assert words in str(caught.value)


@pytest.mark.parametrize("name", [None, "BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast"])
def test_known_classes_pass(name):
    check_class(name)
