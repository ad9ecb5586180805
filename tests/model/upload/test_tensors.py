"""Weights that somebody sends: their header is compared with the network before any tensor is read."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mtst.errors import ModelError
from mtst.model.upload.tensors import assign_tensors, check_tensors

SHAPES = {"weight": (3, 4), "bias": (3,)}


@pytest.fixture
def expected():
    return nn.Linear(4, 3).state_dict()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.safetensors"


def tensors(**changed):
    return {name: torch.randn(shape) for name, shape in (SHAPES | changed).items() if shape}


def header(entries, data=b""):
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_of_any_precision_are_taken(expected, file, dtype):
    given = {name: tensor.to(dtype) for name, tensor in tensors().items()}
    save_file(given, file)
    check_tensors(file, expected, "it")
    assign_tensors(file, expected)
    for name, tensor in expected.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, given[name].float())


def test_equal_weights_are_not_written(file):
    layer = nn.Linear(4, 3)
    save_file(layer.state_dict(), file)
    before = layer.weight._version
    assign_tensors(file, layer.state_dict())
    assert layer.weight._version == before
    with torch.no_grad():
        layer.weight += 1
    assign_tensors(file, layer.state_dict())
    assert layer.weight._version == before + 2


def test_of_tensors_that_share_memory_one_is_enough(file):
    layer, tied = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    tied.weight = layer.weight
    save_file({"0.weight": torch.ones(4, 4)}, file)
    check_tensors(file, nn.ModuleList([layer, tied]).state_dict(), "it")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (tensors(bias=None), "does not fit it in 'bias'"),
        (tensors(more=(1,)), "does not fit it in 'more'"),
        (tensors(weight=(4, 3)), "does not fit it in 'weight'"),
        (tensors(weight=(12,)), "does not fit it in 'weight'"),
        ({"w" * 5_000: torch.ones(1)}, "does not fit it in 'www"),
        ({name: tensor.long() for name, tensor in tensors().items()}, "other numbers than weights"),
        ({name: tensor.double() for name, tensor in tensors().items()}, "other numbers than weights"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(expected, file, given, words):
    save_file(given, file)
    with pytest.raises(ModelError, match=words) as caught:
        check_tensors(file, expected, "it")
    assert len(str(caught.value)) < 300


WEIGHT = {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}
BIAS = {"dtype": "F32", "shape": [3], "data_offsets": [48, 60]}
LARGE = {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}
LIES = {
    "no header": header(b"no header"),
    "no file": b"",
    "a header that is not there": (1_000).to_bytes(8, "little"),
    "a header of 10 GB": (10**10).to_bytes(8, "little") + bytes(100),
    "a header of 2^64 bytes": b"\xff" * 8 + bytes(100),
    "a list": header([]),
    "deep nesting": header(b"[" * 100_000),
    "a deep tensor": header(b'{"a":' * 100_000),
    "a huge shape": header({"weight": LARGE}, bytes(60)),
    "a shape beyond 64 bits": header({"weight": LARGE | {"shape": [2**63, 2**63]}}, bytes(60)),
    "a huge number": header(b'{"weight": {"dtype": "F32", "data_offsets": [0, 48], "shape": [' + b"9" * 9_999 + b"]}}"),
    "a negative shape": header({"weight": WEIGHT | {"shape": [-3, -4]}, "bias": BIAS}, bytes(60)),
    "less data than it says": header({"weight": WEIGHT, "bias": BIAS}, bytes(10)),
    "more data than it says": header({"weight": WEIGHT, "bias": BIAS}, bytes(600)),
    "tensors that overlap": header({"weight": WEIGHT, "bias": BIAS | {"data_offsets": [0, 12]}}, bytes(48)),
    "a hole between tensors": header({"weight": WEIGHT, "bias": BIAS | {"data_offsets": [60, 72]}}, bytes(72)),
    "an unknown type": header({"weight": WEIGHT | {"dtype": "PICKLE"}, "bias": BIAS}, bytes(60)),
    "one name twice": header(
        f'{{"weight": {json.dumps(WEIGHT)}, "bias": {json.dumps(BIAS)}, "weight": {json.dumps(LARGE)}}}'.encode(),
        bytes(60),
    ),
}  # fmt: skip


@pytest.mark.parametrize("raw", LIES.values(), ids=LIES)
def test_a_header_that_lies_is_refused(expected, file, raw):
    file.write_bytes(raw)
    with pytest.raises(ModelError, match=r"model\.safetensors (cannot be read|has too long|does not fit|holds other)"):
        check_tensors(file, expected, "it")


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf])
def test_weights_that_are_not_finite_are_refused(expected, file, number):
    given = tensors()
    given["weight"][2, 3] = number
    save_file(given, file)
    check_tensors(file, expected, "it")
    with pytest.raises(ModelError, match="no numbers"):
        assign_tensors(file, expected)
