from collections import Counter

import pytest
import torch
from torch import nn

from mtst.encoders.layers import find_blocks, layer_groups, modules_of
from mtst.encoders.loading import load_encoder

EVERY_KIND = pytest.mark.parametrize(
    "kind",
    [
        "bert",
        "mpnet",
        pytest.param("roberta", marks=pytest.mark.slow),
        pytest.param("distilbert", marks=pytest.mark.slow),
    ],
)


def placed(encoder):
    """How many groups each parameter belongs to."""
    return Counter(name for group in encoder.groups for name in group.parameters)


def influential(encoder):
    """The names of the parameters that the embedding of a sentence depends on."""
    encoder(["a good film ."]).sum().backward()
    return {name for name, parameter in encoder.backbone.named_parameters() if parameter.grad is not None}


@EVERY_KIND
def test_groups_go_from_the_embeddings_up_through_every_block(tiny_folder, kind):
    encoder = load_encoder(str(tiny_folder(kind)))
    assert [group.key for group in encoder.groups] == ["embeddings", "block-0", "block-1"]
    assert any("word_embeddings" in name for name in encoder.groups[0].parameters)
    assert all(".0." in name.removeprefix("0.") for name in encoder.groups[1].parameters)
    assert all(".1." in name for name in encoder.groups[2].parameters)


@EVERY_KIND
def test_every_parameter_that_matters_is_in_one_group_and_no_other_in_any(tiny_folder, kind):
    encoder = load_encoder(str(tiny_folder(kind)))
    assert placed(encoder) == dict.fromkeys(influential(encoder), 1)


def test_the_unused_pooler_is_in_no_group(fresh_encoder):
    named = dict(fresh_encoder.backbone.named_parameters())
    assert placed(fresh_encoder) == dict.fromkeys(influential(fresh_encoder), 1)
    left = set(named) - set(placed(fresh_encoder))
    assert left
    assert all("pooler" in name for name in left)


def test_the_bundled_encoder_has_its_six_blocks(encoder):
    assert [group.key for group in encoder.groups] == ["embeddings", *(f"block-{n}" for n in range(6))]
    assert [group.title for group in encoder.groups][:2] == ["Embeddings", "Block 0"]


def test_a_bias_that_all_blocks_share_belongs_to_the_embeddings(tiny_folder):
    encoder = load_encoder(str(tiny_folder("mpnet")))
    assert any("relative_attention_bias" in name for name in encoder.groups[0].parameters)


def test_a_layer_above_the_blocks_is_the_dense_group():
    tree = nn.Sequential(nn.Linear(4, 4), nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)]), nn.Linear(4, 2))

    def probe():
        hidden = tree[0](torch.ones(1, 4))
        for block in tree[1]:
            hidden = block(hidden)
        return tree[2](hidden)

    groups = layer_groups(tree, probe)
    assert [group.key for group in groups] == ["embeddings", "block-0", "block-1", "dense"]
    assert groups[-1].parameters == ("2.weight", "2.bias")


def test_a_tree_without_blocks_is_one_group():
    tree = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    (group,) = layer_groups(tree, lambda: tree(torch.ones(1, 4)))
    assert group.key == "encoder"
    assert group.parameters == tuple(name for name, _ in tree.named_parameters())


def test_finding_groups_leaves_no_trace(tiny_encoder):
    parameters = list(tiny_encoder.backbone.parameters())
    parameters[0].requires_grad_(False)
    wanted = [parameter.requires_grad for parameter in parameters]
    assert layer_groups(tiny_encoder.backbone, lambda: tiny_encoder(["a film"])) == tiny_encoder.groups
    assert [parameter.requires_grad for parameter in parameters] == wanted
    assert all(parameter.grad is None for parameter in parameters)
    _, blocks = find_blocks(tiny_encoder.backbone)
    assert not blocks[0]._forward_hooks


def test_groups_are_identified_where_gradients_are_off(tiny_encoder):
    with torch.no_grad():
        assert layer_groups(tiny_encoder.backbone, lambda: tiny_encoder(["a film"])) == tiny_encoder.groups


def test_the_blocks_are_the_largest_list_of_equal_modules():
    tree = nn.ModuleDict(
        {
            "small": nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)]),
            "mixed": nn.ModuleList([nn.Linear(9, 9), nn.Embedding(9, 9)]),
            "empty": nn.ModuleList([nn.Tanh(), nn.Tanh()]),
            "single": nn.ModuleList([nn.Linear(50, 50)]),
            "blocks": nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)]),
        }
    )
    assert find_blocks(tree) == ("blocks", tree["blocks"])
    tree["parts"] = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])  # a layer is a part of both
    assert find_blocks(tree) is None


def test_the_modules_of_a_group_take_their_dropout_with_them(encoder):
    for group in encoder.groups:
        modules = modules_of(encoder.backbone, group.parameters)
        assert sum(len(list(module.parameters())) for module in modules) == len(group.parameters)
        assert any(isinstance(part, nn.Dropout) for module in modules for part in module.modules())
