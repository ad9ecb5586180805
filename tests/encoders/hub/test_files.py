import pytest

from mtst.encoders.hub.files import is_complete, required_files


def test_weights_are_taken_once_and_only_those_of_the_modules():
    listed = [
        "config.json", "modules.json", "model.safetensors", "pytorch_model.bin", "model.fp16.safetensors",
        "2_Dense/config.json", "2_Dense/pytorch_model.bin", "onnx/model.onnx", "onnx/config.json",
        "checkpoint-500/model.safetensors", "vocab.txt", "train.py",
    ]  # fmt: skip
    assert required_files(listed, ["", "2_Dense"]) == [
        "2_Dense/config.json", "2_Dense/pytorch_model.bin", "config.json", "model.safetensors", "modules.json",
        "vocab.txt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "whole"),
    [
        (["config.json", "model.safetensors", "tokenizer.json"], True),
        (["config.json", "model.safetensors"], False),
        (["config.json", "tokenizer.json"], False),
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "vocab.txt"], True),
        (["model-00002-of-00002.safetensors", "vocab.txt"], False),
    ],
)
def test_what_another_program_has_left_half_done_is_seen(files, whole):
    assert is_complete(files) is whole
