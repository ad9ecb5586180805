// The buttons below a figure: what a drag does, where that can be chosen, the whole view again, and files to keep.
const DRAGS = {Move: 'pan', Lasso: 'lasso'};
let drag = null; // the mode that was chosen

function addTools(plot, explore, dragmode, redraw) {
  if (element.querySelector('.plot-tools')) return;
  const tools = Object.assign(document.createElement('div'), {className: 'plot-tools'});
  const button = (name, press, label) => {
    const made = Object.assign(document.createElement('button'), {type: 'button', textContent: name, onclick: press});
    if (label) made.setAttribute('aria-label', label);
    tools.append(made);
    return made;
  };
  if (explore) {
    const choices = Object.entries(DRAGS).map(([name, mode]) => [mode, button(name, () => { drag = mode; mark(); redraw(); })]);
    const mark = () => choices.forEach(([mode, each]) => each.setAttribute('aria-pressed', mode === (drag ?? dragmode)));
    mark();
    button('Whole map', () => Plotly.relayout(plot, {'xaxis.autorange': true, 'yaxis.autorange': true, selections: []}));
  }
  const space = document.createElement('i');
  tools.append(space);
  for (const format of ['png', 'svg'])
    button(format.toUpperCase(), () => keep(plot, format), `Save the picture as ${format.toUpperCase()}`);
  plot.after(tools);
}

// The picture as it is shown, on the colour of the card, for on its own it would be transparent.
function keep(plot, format) {
  const {clientWidth: width, clientHeight: height} = plot;
  const layout = {...plot.layout, paper_bgcolor: getComputedStyle(element).getPropertyValue('--card').trim(), width, height};
  const name = element.id || element.closest('[id]')?.id || 'figure';
  Plotly.downloadImage({data: plot.data, layout}, {format, width, height, scale: 2, filename: `mtst-${name}`});
}
