"""HTML whose buttons the server hears of, and a place for what it answers."""

import gradio as gr

# A press of <button data-key="…"> is a `select` with that key.
PRESS = """element.addEventListener('click', event => {
  const button = event.target.closest('button[data-key]');
  if (button) trigger('select', {key: button.dataset.key});
});"""

# An answer has a title with `data-of`, what it is about. A new one comes into sight and has the focus; when it is drawn
# anew it stays where it is.
ARRIVE = """let last;
const arrive = () => {
  const title = element.querySelector('[data-of]'), fresh = title && title.dataset.of !== last;
  if (fresh) element.scrollIntoView({block: 'nearest'});
  if (fresh || title && document.activeElement === document.body) title.focus({preventScroll: true});
  last = title?.dataset.of;
};
watch('value', arrive);
arrive();"""


def clickable_html(value: str = "", **kwargs: object) -> gr.HTML:
    """Return a piece of HTML as a component that says which of its buttons was pressed."""
    return gr.HTML(value, js_on_load=PRESS, apply_default_css=False, **kwargs)


def answer_area(value: str = "", **kwargs: object) -> gr.HTML:
    """Return the place of an answer as a component."""
    return gr.HTML(value, js_on_load=ARRIVE, apply_default_css=False, **kwargs)
