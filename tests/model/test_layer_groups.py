import pytest
from torch import nn

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.model.layer_groups import is_head, model_groups, top_down
from mtst.model.multitask import MultiTaskSentenceTransformer

TASKS = (Task("topic", ("food", "sports")), Task("head: place", ("kitchen", "work", "street")))


@pytest.fixture(scope="module")
def model(encoder):
    """The shared encoder with two heads; its weights stay as they are."""
    return MultiTaskSentenceTransformer(encoder, TASKS)


def test_groups_go_from_the_bottom_up_the_heads_last(model):
    keys = [group.key for group in model_groups(model)]
    assert keys == ["embeddings", *(f"block-{n}" for n in range(6)), "head:topic", "head:head: place"]
    assert [is_head(key) for key in keys] == [False] * 7 + [True] * 2
    assert top_down(keys) == [f"block-{n}" for n in reversed(range(6))] + ["embeddings"]


def test_a_head_knows_its_task(model):
    *layers, topic, place = model_groups(model)
    assert all(group.task is None and not group.is_head for group in layers)
    assert [(group.task, group.is_head) for group in (topic, place)] == [("topic", True), ("head: place", True)]
    assert [tuple(group.parameters) for group in (topic, place)] == [tuple(head.parameters()) for head in model.heads]


def test_groups_hold_every_parameter_but_the_unused_pooler_once(model):
    placed = [id(parameter) for group in model_groups(model) for parameter in group.parameters]
    assert len(placed) == len(set(placed))
    left = [name for name, parameter in model.named_parameters() if id(parameter) not in set(placed)]
    assert left
    assert all("pooler" in name for name in left)


def test_the_size_of_a_group_is_the_number_of_its_parameters(model):
    sizes = {group.key: group.size for group in model_groups(model)}
    assert sizes["head:topic"] == 2 * 384 + 2
    assert sizes["head:head: place"] == 3 * 384 + 3
    assert len({sizes[f"block-{n}"] for n in range(6)}) == 1
    assert sum(sizes.values()) < sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_the_modules_of_a_group_hold_its_parameters_and_its_dropout(tiny_folder, kind):
    model = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder(kind))), TASKS)
    for group in model_groups(model):
        held = {id(parameter) for module in group.modules for parameter in module.parameters()}
        assert held == {id(parameter) for parameter in group.parameters}
        dropouts = [part for module in group.modules for part in module.modules() if isinstance(part, nn.Dropout)]
        assert bool(dropouts) == (not group.is_head)
