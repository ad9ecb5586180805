import copy
import re

import numpy as np
import pytest
import torch

from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.folder import RunFolder
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.compare import encoder_difference, search
from mtst.ui.compare import tab as compare_tab
from mtst.ui.compare.groups import group_sentences
from mtst.ui.components import progress
from mtst.ui.services.services import Services
from tests.support import fake_run

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TEXT = "The cat sleeps.\nA cat is asleep.\nShares fell.\n\nShares fell."


def shown(update: object) -> bool:
    """Whether an update leaves its component visible."""
    return bool(update["visible"] if isinstance(update, dict) else update.visible)


def value(update: object) -> object:
    return update["value"] if isinstance(update, dict) else update.value


def harmless(made: str) -> bool:
    return "<script" not in made and "<img" not in made


@pytest.fixture
def keep_run(services: Services):
    """Save a model where the services look for that of a finished run; return the run's token."""

    def keep(model: MultiTaskSentenceTransformer, token: str) -> str:
        folder = RunFolder(services.settings.runs_dir / token)
        folder.create(Job(services.settings.encoder, TrainConfig()), fake_run.data())
        model.save(folder.model_path, heads_only=not model.encoder.weights_changed)
        return token

    return keep


def test_comparing_ranks_the_sentences_and_shows_the_pairs(services: Services) -> None:
    view = compare_tab.compare(services, TEXT, "stock market")
    assert shown(view.figure)
    assert not shown(view.placeholder)
    assert view.pairs.index("The cat sleeps.") < view.pairs.index("Farthest pairs")
    assert "384 numbers" in view.numbers
    assert view.ranking.index("Shares fell.") < view.ranking.index("The cat sleeps.")


@pytest.mark.parametrize("text", ["", "only one", "same\nsame", " \n\n "])
def test_too_few_sentences_give_a_hint_and_no_figure(services: Services, text: str) -> None:
    view = compare_tab.compare(services, text, "")
    assert not shown(view.figure)
    assert "two different sentences" in value(view.placeholder)
    assert "Groups appear here" in group_sentences(services, text, 0.3)


def test_too_many_sentences_are_refused_with_the_limit(services: Services) -> None:
    text = "\n".join(f"sentence {number}" for number in range(201))
    view = compare_tab.compare(services, text, "")
    assert not shown(view.figure)
    assert "at most 200" in value(view.placeholder)


def test_two_hundred_sentences_are_compared_and_the_extreme_pairs_can_be_sorted(services: Services) -> None:
    text = "\n".join(f"sentence number {number}" for number in range(200))
    view = compare_tab.compare(services, text, "")
    pairs = view.pairs
    assert len(value(view.figure)["data"][0]["z"]) == 200
    assert "The 100 closest and 100 farthest of 19,900 pairs" in pairs
    listed = pairs[pairs.index("<details") :]
    assert listed.count("<tr>") == 201
    orders = [float(order) for order in re.findall(r'<tr><td data-order="([^"]+)"', listed)]
    assert orders == sorted(orders, reverse=True)


def test_script_in_a_sentence_is_shown_as_text_everywhere(services: Services) -> None:
    view = compare_tab.compare(services, f"{EVIL}\nhello", EVIL)
    groups = group_sentences(services, f"{EVIL}\n{EVIL} twice", 0.1)
    for made in (view.pairs, view.numbers, view.ranking, groups):
        assert harmless(made)
        assert "&lt;script&gt;" in made


def test_groups_are_named_by_their_most_central_sentence_and_merge_as_asked(services: Services) -> None:
    made = group_sentences(services, TEXT + "\nStocks went down.\nThe cat sleeps!", 0.3)
    assert "2 groups and no sentences alone" in made
    assert "Near duplicates" in made
    assert "The cat sleeps." in made[made.index("Near duplicates") :]
    apart = group_sentences(services, "The cat sleeps.\nStocks went down.", 0.95)
    assert "no groups and 2 sentences alone. No near duplicates" in apart


def figures(view: encoder_difference.DifferenceView) -> list[object]:
    return [view.figures, view.before, view.after, view.change]


def test_a_second_encoder_needs_a_run(services: Services) -> None:
    none = encoder_difference.compare_encoders(services, TEXT, encoder_difference.NO_SECOND, None)
    assert not shown(none.card)
    again = encoder_difference.compare_encoders_again(services, TEXT, encoder_difference.NO_SECOND, None)
    assert again is encoder_difference.NO_CHANGE
    for compare in (encoder_difference.compare_encoders, encoder_difference.compare_encoders_again):
        view = compare(services, TEXT, encoder_difference.TRAINED, None)
        assert shown(view.card)
        assert not any(map(shown, figures(view)))
        assert "Train one first" in view.pairs


def test_a_frozen_encoder_has_the_same_cosines(services: Services, keep_run) -> None:
    token = keep_run(services.starter, "f" * 32)
    view = encoder_difference.compare_encoders(services, TEXT, encoder_difference.TRAINED, token)
    assert not any(map(shown, figures(view)))
    assert "kept the encoder frozen" in view.pairs


def test_a_trained_encoder_shows_which_pairs_it_moved(services: Services, keep_run) -> None:
    model = copy.deepcopy(services.starter)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.encoder.backbone.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=generator))
    token = keep_run(model, "t" * 32)
    view = encoder_difference.compare_encoders(services, TEXT, encoder_difference.TRAINED, token)
    assert all(map(shown, [view.card, *figures(view)]))
    before, after, difference = (value(figure)["data"][0] for figure in (view.before, view.after, view.change))
    assert (before["zmin"], before["zmax"]) == (after["zmin"], after["zmax"])
    np.testing.assert_allclose(
        np.array(after["z"]) - np.array(before["z"]), np.array(difference["z"]), atol=1.01e-3, err_msg="rounded"
    )
    changes = [abs(float(row.split("</td>")[2].split(">")[-2].split("<")[0])) for row in view.pairs.split("<tr>")[2:]]
    assert len(changes) == 3
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0.001


def embedded(services: Services, path: str) -> search.IndexView:
    file = search.read_file(services, path)
    return list(search.build_index(services, file.table, value(file.column)))[-1]


def test_a_file_is_searched_by_meaning(services: Services, write_csv) -> None:
    lines = "\n".join(f"Number {number} of the list" for number in range(900))  # more than a run may have here
    path = write_csv(
        f'id,review\n1,"{EVIL}"\n2,The plane was late.\n3,\n4,A nice hotel.\n{lines.replace("Number", "5,No.")}'
    )
    view = embedded(services, path)
    assert "903 different sentences embedded" in value(view.note)
    made = search.search_file(view.index, "delayed flight")
    assert "The 20 nearest to" in made
    assert "plane was late" in made[: made.index("</tr>", made.index("<tbody"))]
    assert "903 sentences searched in" in made
    hostile = search.search_file(view.index, EVIL)
    assert harmless(hostile)
    assert "1.000" in hostile


def test_progress_is_shown_while_a_file_is_embedded(services: Services, write_csv) -> None:
    path = write_csv(
        "text\n" + "\n".join(f"{number} times as many words in this longer text" for number in range(2_000))
    )
    table = search.read_file(services, path).table
    *progress, last = search.build_index(services, table, "text")
    assert all(view.index is None for view in progress)
    assert any("of 2,000 sentences embedded" in value(view.note) for view in progress)
    assert last.index.unit_rows.shape == (2_000, 384)


def test_a_large_file_is_announced_before_the_first_sentence_is_read(services: Services, monkeypatch) -> None:
    monkeypatch.setattr(progress, "LARGE", 1)
    first, *_ = progress.embed_with_progress(services.encoder, ["one", "two"], services.executors.large_embeddings)
    assert "0 of 2 sentences embedded" in first.html()


def test_searching_without_a_file_a_column_or_a_query_says_what_to_do(services: Services, write_csv) -> None:
    assert "Embed a file first" in search.search_file(None, "hello")
    assert "Choose a file first" in value(list(search.build_index(services, None, None))[-1].note)
    table = search.read_file(services, write_csv("a,b\n,1\n ,2\n")).table
    *_, last = search.build_index(services, table, "b")
    assert "Enter a query" in search.search_file(last.index, " ")
    assert "empty" in value(list(search.build_index(services, table, "a"))[-1].note)


def test_a_file_that_cannot_be_read_is_explained(services: Services, write_csv) -> None:
    view = search.read_file(services, write_csv(""))
    assert view.table is None
    assert not shown(view.column)
    assert not view.embed.interactive
    assert "is empty" in value(view.note)
    assert search.search_limits(services).rows == 50_000


def test_sentences_that_the_encoder_cannot_read_are_reported(services: Services) -> None:
    view = compare_tab.compare(services, "a film\n这部电影很好看\n我不喜欢这个故事", "")
    assert "tokens are unknown to the encoder" in value(view.unread)
    assert value(compare_tab.compare(services, "a film\na book", "").unread) == ""
    assert value(compare_tab.compare(services, "one", "").unread) == ""


def test_what_looks_odd_in_a_file_to_search_is_reported(services: Services, write_csv) -> None:
    path = write_csv("text,n\n<b>bold</b> words,1\n这部电影很好看,2\n我不喜欢这个故事,3\n")
    assert "1 text holds HTML" in value(search.read_file(services, path).note)
    note = value(embedded(services, path).note)
    assert "Worth a look: HTML, unknown tokens" in note
