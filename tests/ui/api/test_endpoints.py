"""The endpoints as methods; how they are reached is tried in tests/browser."""

import asyncio

import gradio as gr
import numpy as np
import pytest

from mtst.training.config import TrainConfig
from mtst.ui.api.calls import MAX_SESSIONS
from mtst.ui.api.endpoints import Api
from mtst.ui.services.services import Services

TABLE = "\n".join(
    ["words,kind", *(f"{'good' if n % 2 else 'bad'} thing {n},{'a' if n % 2 else 'b'}" for n in range(40))]
)


class Request:
    """Somebody at an address."""

    def __init__(self, host: str = "10.0.0.1", session: str | None = None) -> None:
        self.client = type("Client", (), {"host": host})
        self.session_hash = session


@pytest.fixture(scope="module")
def demo() -> gr.Blocks:
    with gr.Blocks() as demo:
        gr.State()
    demo.queue()
    return demo


@pytest.fixture
def api(services: Services, demo: gr.Blocks) -> Api:
    return Api(services, demo)


def ended(services: Services, token: str) -> None:
    """Wait for the end of a run."""

    async def follow() -> None:
        async for _ in services.runs.follow(token):
            pass

    asyncio.run(follow())


def begun(services: Services, token: str) -> None:
    """Wait until a run trains."""

    async def follow() -> None:
        async for history in services.runs.follow(token):
            if history.steps:
                return

    asyncio.run(follow())


def test_embeddings_and_similarities_are_those_of_the_encoder(api, services) -> None:
    texts = ["A cat sleeps.", "A dog barks.", "A cat sleeps."]
    rows = np.array(api.embed(None, texts))
    assert np.allclose(rows, services.encoder.encode(texts), atol=1e-6)
    cosines = np.array(api.similarity(None, texts, None))
    assert cosines.shape == (3, 3)
    assert cosines[0, 2] == pytest.approx(1)
    beside = np.array(api.similarity(None, texts, ["A hound is barking."]))
    assert beside.shape == (3, 1)
    assert beside.argmax() == 1


def test_predictions_come_from_the_starter_heads_without_a_token(api) -> None:
    first, second = api.predict(None, ["What a wonderful goal!", "I hated this meal."], "")
    assert (first["topic"]["label"], first["sentiment"]["label"]) == ("sports", "positive")
    assert second["sentiment"]["label"] == "negative"
    probabilities = first["topic"]["probabilities"]
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert probabilities["sports"] == first["topic"]["confidence"] == max(probabilities.values())


@pytest.mark.parametrize(
    ("sentences", "why"),
    [
        ([], "between 1 and 1,000"),
        (["x"] * 1001, "between 1 and 1,000 in a call, not 1,001"),
        (["x", " "], r"sentences\[1\] is blank"),
        (["x", "y\ud83d"], r"sentences\[1\] holds half of a character"),
        (["x" * 100_001], "longer than 100,000 characters"),
        (["x" * 90_000] * 12, "more than 1,000,000 characters in one call"),
        ("just one", "sentences: input should be a valid list, not 'just one'"),
        (["x", 3], r"sentences\[1\]: input should be a valid string, not 3"),
        (None, "sentences: input should be a valid list, not None"),
    ],
)
def test_what_cannot_be_embedded_or_labelled_is_refused_in_words(api, sentences, why) -> None:
    for ask in (api.embed, lambda who, texts: api.predict(who, texts, "")):
        with pytest.raises(gr.Error, match=why):
            ask(None, sentences)


def test_a_table_sent_along_is_trained_on_and_its_run_can_be_read_and_downloaded(api, services) -> None:
    token = api.train(None, None, TABLE, "", None, "freeze-encoder", 2, 7, None, None)
    assert api.run(None, token)["state"] in ("waiting", "running", "finished")
    ended(services, token)
    job = services.runs.folder(token).job()
    assert job.config == TrainConfig(epochs=2, seed=7)
    assert (job.text, job.source) == ("words", "table.csv")
    told = api.run(None, token)
    assert (told["kind"], told["state"], told["done"], told["of"], told["place"]) == ("train", "finished", 2, 2, None)
    assert told["has_model"]
    assert told["scores"]["kind"]["macro_f1"] == told["report"]["validation"]["kind"]["macro_f1"]
    assert set(api.predict(None, ["good thing"], token)[0]["kind"]["probabilities"]) == {"a", "b"}
    assert api.model(None, token).orig_name == "mtst-model.zip"


def test_a_comparison_is_reported_by_scenario(api, services) -> None:
    scenarios = ["freeze-all", "freeze-encoder"]
    token = api.compare(None, None, TABLE, "words", ["kind"], scenarios, 1, False, True, None, None)
    ended(services, token)
    told = api.run(None, token)
    assert (told["kind"], told["state"], told["done"], told["of"]) == ("compare", "finished", 10, 10)
    assert set(told["scores"]) == {"freeze-all", "freeze-encoder"}
    assert told["report"]["recommendation"]
    assert not told["has_model"]
    with pytest.raises(gr.Error, match="without a model"):
        api.model(None, token)


def test_the_report_says_what_the_encoder_does_not_read(api, services) -> None:
    token = api.train(
        None, None, TABLE + "\nso far " + "so good " * 400 + ",a", "words", ["kind"], "freeze-all", None, 0, None, None
    )
    ended(services, token)
    (oddity,) = api.run(None, token)["report"]["data"]["oddities"]
    assert (oddity["kind"], oddity["count"], oddity["line"]) == ("cut texts", 1, 42)


def test_the_report_says_what_looked_odd_and_a_treatment_is_applied(api, services) -> None:
    table = TABLE + "\none more,NULL" * 2
    told = []
    for missing in (None, ["NULL"]):
        token = api.train(None, None, table, "words", ["kind"], "freeze-all", None, 0, missing, None)
        ended(services, token)
        told.append(api.run(None, token)["report"])
    (oddity,) = told[0]["data"]["oddities"]
    assert (oddity["kind"], oddity["count"], oddity["treatment"]["option"]) == ("missing label", 2, "--missing")
    assert told[1]["data"]["oddities"] == []
    assert "--missing NULL" in told[1]["command"]
    assert told[0]["data"]["rows"] - told[1]["data"]["rows"] == 2


def test_a_queued_run_is_reported_as_such_and_stops_at_once(api, services) -> None:
    first = api.train(None, None, TABLE, "", None, "train-all", 1000, 0, None, None)
    second = api.train(None, None, TABLE, "", None, "freeze-encoder", None, 0, None, None)
    told = api.run(None, second)
    assert (told["state"], told["place"]["number"]) == ("waiting", 1)
    assert api.stop(None, second)["state"] == "stopped"
    assert api.stop(None, first)["state"] in ("stopping", "stopped")
    ended(services, first)
    assert api.run(None, first)["state"] == "stopped"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"table": ""}, "either a file or, as text, a table"),
        ({"table": "text,label\n"}, "no rows"),
        ({"table": "text,label\na\ud83d,x\n"}, "table holds half of a character"),
        ({"table": "text,l\n" + "x,y\n" * 701}, "more than 700 rows"),
        ({"table": "x" * 21_000_000}, "larger than 20 MB"),
        ({"text": "nothing"}, "nothing"),
        ({"labels": ["nothing"]}, "nothing"),
        ({"labels": []}, "one to 8 label columns"),
        ({"scenario": "freeze-some"}, "no scenario 'freeze-some'"),
        ({"epochs": 0}, "epochs must lie between 1 and 1000"),
        ({"epochs": "many"}, "epochs: .*integer.*not 'many'"),
        ({"seed": 1.5}, "seed: .*integer"),
        ({"labels": "kind"}, "labels: .*list"),
        (
            {"file": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, "table": ""},
            "not one that was uploaded",
        ),
        ({"file": {"path": "/etc/passwd"}}, "either a file or, as text, a table"),
        ({"file": "/etc/passwd"}, "file: "),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(api, change, why) -> None:
    usual = {"file": None, "table": TABLE, "text": "words", "labels": ["kind"], "scenario": "freeze-encoder"}
    with pytest.raises(gr.Error, match=why):
        api.train(None, *(usual | {"epochs": None, "seed": 0, "missing": None, "clean": None} | change).values())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scenarios": ["no such"]}, "no scenario 'no such'"),
        ({"seeds": 0}, "1 to 10 seeds, not 0"),
        ({"seeds": 11}, "1 to 10 seeds, not 11"),
        ({"alone": "perhaps"}, "alone: .*boolean"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(api, change, why) -> None:
    usual = {"file": None, "table": TABLE, "text": "words", "labels": ["kind"], "scenarios": None, "seeds": 1}
    with pytest.raises(gr.Error, match=why):
        api.compare(None, *(usual | {"alone": False, "race": True, "missing": None, "clean": None} | change).values())


@pytest.mark.parametrize("token", ["", "x" * 32, "../runs", "a/b", None, 3, ["x"]])
def test_without_a_token_nothing_is_returned(api, token) -> None:
    for ask in (api.run, api.stop, api.model):
        with pytest.raises(gr.Error, match=r"Train|token"):
            ask(None, token)


def test_an_address_has_the_limits_of_the_page(api, services) -> None:
    who = Request("10.0.0.9")
    tokens = [api.train(who, None, TABLE, "", None, "freeze-encoder", 1, 0, None, None) for _ in range(2)]
    with pytest.raises(gr.Error, match="runs that wait or train, as many as allowed"):
        api.compare(who, None, TABLE, "", None, None, 1, False, True, None, None)
    for token in tokens:
        api.stop(None, token)
        ended(services, token)


def test_gradio_keeps_the_answers_of_a_few_programs_only(api, demo) -> None:
    for number in range(MAX_SESSIONS + 5):
        _ = demo.state_holder[f"session {number}"]
        api.embed(Request(f"10.0.1.{number}", f"session {number}"), ["A cat."])
    _ = demo.state_holder["a page"]
    kept = {name for name in demo.state_holder.session_data if name.startswith("session")}
    assert kept == {f"session {number}" for number in range(5, MAX_SESSIONS + 5)}
    assert "a page" in demo.state_holder.session_data
