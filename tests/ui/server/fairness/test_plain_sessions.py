"""A session of the page: it keeps what a visitor has brought, and no copy of the page."""

import gradio as gr
from gradio.state_holder import SessionState

from mtst.ui.server.fairness.plain_sessions import KEPT_SECONDS, PlainSession


def page() -> tuple[gr.Blocks, gr.State, gr.Textbox]:
    with gr.Blocks() as demo:
        state, box = gr.State(["initial"]), gr.Textbox("text")
    return demo, state, box


def test_it_has_all_that_gradios_own_has() -> None:
    demo, *_ = page()
    assert vars(PlainSession(demo)).keys() - {"_held"} == vars(SessionState(demo)).keys()
    assert PlainSession(demo).STATE_TTL_WHEN_CLOSED == SessionState(demo).STATE_TTL_WHEN_CLOSED == KEPT_SECONDS


def test_it_keeps_states_and_no_description_of_components() -> None:
    demo, state, box = page()
    session, other = PlainSession(demo), PlainSession(demo)
    assert session[state._id] == ["initial"]
    session[state._id] = ["mine"]
    session[box._id] = gr.Textbox("more", render=False)
    session._update_value_in_config(box._id, "x" * 1_000)
    assert (session[state._id], session[box._id].value) == (["mine"], "more")
    assert other[state._id] == ["initial"]
    assert [*session.components] == []


def test_it_knows_about_how_much_its_values_take() -> None:
    demo, state, box = page()
    session = PlainSession(demo)
    session[box._id] = gr.Textbox("more", render=False)
    assert session.held_bytes == 0
    for size in (1_000_000, 2_000_000):
        session[state._id] = ["x" * size]
        assert size < session.held_bytes < 1.1 * size
    session[state._id] = None
    assert session.held_bytes < 1_000
