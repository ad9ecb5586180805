"""Heads on a frozen encoder end at the minimum of their loss, near where they began."""

from copy import deepcopy

import pytest
import torch
from torch.nn.functional import cross_entropy

from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import Split, TrainConfig
from mtst.training.engine.head_calibration import calibrate_head
from mtst.training.engine.head_penalty import HeadPenalty
from mtst.training.events import Started
from mtst.training.fitting import fit
from mtst.training.planning import resolve_for


def test_the_default_run_ends_where_a_solver_ends(encoder, sample):
    rows = Split(sample.take(range(40)), sample.take(range(40, 60)))
    model = MultiTaskSentenceTransformer(encoder, sample.tasks)
    solved = deepcopy(model.heads)
    list(fit(model, rows.train, TrainConfig(), validation=rows.validation, baselines=False))
    embeddings = torch.from_numpy(encoder.encode(rows.train.texts))
    for task, head, start in zip(model.tasks, model.heads, solved, strict=True):
        labels = torch.tensor(rows.train.labels[task.name])
        calibrate_head(start, embeddings, labels)
        end = deepcopy(start)
        solver = torch.optim.LBFGS(end.parameters(), max_iter=500, line_search_fn="strong_wolfe")
        factor = resolve_for(model, TrainConfig(), 40).head_penalty / len(task.labels)

        def objective(part, start=start, labels=labels, factor=factor):
            distance = (part.weight - start.weight.detach()).square().sum()
            return cross_entropy(part(embeddings), labels, ignore_index=-1) + factor / 2 * distance

        def closure(end=end, solver=solver, objective=objective):
            solver.zero_grad()
            loss = objective(end)
            loss.backward()
            return loss

        solver.step(closure)
        with torch.no_grad():
            assert objective(head) < objective(start)
            assert objective(head) - objective(end) < 0.01 * (objective(start) - objective(end))


def test_all_rows_are_one_step_by_default_and_a_batch_size_is_used(tiny, swapped):
    started = [
        next(fit(deepcopy(tiny), swapped, TrainConfig(batch_size=size, epochs=3), baselines=False))
        for size in (None, 4)
    ]
    assert all(isinstance(event, Started) for event in started)
    assert [event.steps for event in started] == [3, 12]


def test_only_what_moves_is_penalised_and_a_task_of_no_weight_is_not(tiny):
    config = resolve_for(tiny, TrainConfig(task_weights={"place": 0.0}), 16)
    penalty = HeadPenalty(tiny, config)
    factor = config.head_penalty / 2 * tiny.encoder.embedding_norm**2  # of two labels
    assert penalty() == 0
    with torch.no_grad():
        for head in tiny.heads:
            head.weight += 1
    assert penalty().item() == pytest.approx(factor / 2 * tiny.heads[0].weight.numel())
    assert HeadPenalty(tiny, resolve_for(tiny, TrainConfig(scenario="train-all"), 16))() == 0


def test_a_run_that_goes_on_is_kept_near_where_it_began(tiny):
    config = resolve_for(tiny, TrainConfig(), 16)
    state = HeadPenalty(tiny, config).state_tensors()
    with torch.no_grad():
        tiny.heads[0].weight += 1
    resumed = HeadPenalty(tiny, config)
    resumed.load_state_tensors(state)
    assert resumed() > 0
