// Draws `props.value`, a plotly figure, into the element, and again whenever value, size or theme change.
const plot = element.querySelector('.figure'), style = getComputedStyle(element);
const touch = matchMedia('(pointer: coarse)').matches; // a finger scrolls the page, it does not zoom
const still = matchMedia('(prefers-reduced-motion: reduce)');
const stacked = matchMedia('(max-width: 900px)'); // the layer map stands above the figure, not beside it
// Only a string that is nothing but `var(--name)` stands for a colour: a sentence that mentions one stays as it is.
const colour = (_, name) => JSON.stringify(style.getPropertyValue(name).trim());
const filled = text => text.replace(/"var[(](--[a-z0-9-]+)[)]"/g, colour);
const NARROW = 520, usual = plot.style.height;
let webgl; // found out when it is needed: a browser has few of them
const possible = trace => trace.type !== 'scattergl'
  || (webgl ??= Boolean(document.createElement('canvas').getContext('webgl'))) ? trace : {...trace, type: 'scatter'};
const press = ({points: [{customdata}]}) => Number.isInteger(customdata) && trigger('select', {index: customdata});
const surround = event => {
  const inside = event?.points.map(point => point.customdata).filter(Number.isInteger);
  if (inside?.length) trigger('select', {index: inside});
};
let timer = 0, cost = 0, width = 0, heard = false, view = null;

// A figure with several views shows the traces of one axis at a time; a button for each stands above it.
function viewed(traces, layout) {
  const views = layout.meta?.views;
  if (!views) return [traces, layout];
  view ??= Object.keys(views)[0];
  let buttons = element.querySelector('.views');
  if (!buttons) {
    buttons = Object.assign(document.createElement('div'), {className: 'views'});
    plot.before(buttons);
    buttons.setAttribute('role', 'group');
    buttons.setAttribute('aria-label', 'Show');
    Object.keys(views).forEach(name => buttons.append(Object.assign(document.createElement('button'), {type: 'button', textContent: name, onclick: () => { view = name; draw(); }})));
  }
  [...buttons.children].forEach(button => button.setAttribute('aria-pressed', button.textContent === view));
  const axes = Object.fromEntries(Object.entries(views).map(([name, axis]) => {
    const key = axis.replace('y', 'yaxis');
    return [key, {...layout[key], visible: name === view}];
  }));
  return [traces.map(trace => (trace.yaxis ?? 'y') === views[view] ? trace : {...trace, visible: false}), {...layout, ...axes}];
}
// Plotly's shapes have no patterns: those that are frozen get the hatch of the layer map, from a pattern of this figure's.
const own = `hatch-${Math.random().toString(36).slice(2)}`;
const PATTERN = `<svg width="0" height="0" style="position: absolute" aria-hidden="true"><pattern id="${own}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" style="fill: var(--ice-0)"/><path d="M0 0V7" style="stroke: var(--ice-2)" stroke-width="1.6"/></pattern></svg>`;
const hatch = () => {
  const hatched = plot.layout?.meta?.hatched;
  if (hatched && !document.getElementById(own)) plot.insertAdjacentHTML('beforebegin', PATTERN);
  hatched?.forEach(index => {
    const path = plot.querySelector(`.shapelayer path[data-index="${index}"]`);
    if (path) path.style.fill = `url(#${own})`;
  });
};

function draw() {
  timer = 0;
  // A hidden tab has no width: its figure is drawn when it is shown.
  if (!plot.clientWidth || !props.value) return;
  if (!window.Plotly) return void window.fetchPlotly().then(ask);
  const start = performance.now();
  const [{data, layout: full}, mark] = JSON.parse(filled(JSON.stringify([props.value, props.mark])));
  const [shown, layout] = viewed(data, full);
  const narrow = plot.clientWidth < NARROW ? layout.meta?.narrow ?? {} : {};
  const below = stacked.matches ? layout.meta?.stacked ?? {} : {};
  plot.style.height = layout.meta?.height ? `${below.height ?? layout.meta.height}px` : usual;
  const {explore} = layout.meta ?? {}; // a map: one moves in it
  const dragmode = drag ?? (touch ? false : explore ? 'pan' : 'zoom');
  const size = {width: plot.clientWidth, height: plot.clientHeight, dragmode};
  if (still.matches) delete layout.transition;
  const traces = shown.map(trace => ({...possible(trace), ...narrow.trace}));
  if (mark?.x) traces.push(mark);
  const names = layout.meta?.pairs; // of the rows of a heat map, whose cells tell both
  if (names) traces[0].text = names.map(a => names.map(b => `${a}<br>―<br>${b}`));
  const drawn = Plotly.react(plot, traces, {...layout, ...narrow.layout, ...below.layout, ...size}, {displayModeBar: false, scrollZoom: Boolean(explore)});
  // After a change of the width it leaves the legend where the margin of before ended.
  if (width && width !== size.width) drawn.then(() => Plotly.relayout(plot, {width: plot.clientWidth}));
  width = size.width;
  if (!heard) {
    plot.on('plotly_click', press);
    plot.on('plotly_selected', surround);
    plot.on('plotly_afterplot', hatch);
    addTools(plot, explore, dragmode, draw);
  }
  heard = true;
  hatch();
  cost = performance.now() - start;
}
// Drawing takes a fifth of the time at most, however fast the data comes.
const ask = () => timer ||= setTimeout(() => requestAnimationFrame(draw), 4 * cost);

watch('value', ask);
watch('mark', () => {
  if (!props.mark?.x) return ask();
  clearTimeout(timer); // somebody has just pressed a point
  draw();
});
new ResizeObserver(ask).observe(plot); // mounted, tab shown, window resized
stacked.addEventListener('change', ask);
const theme = new MutationObserver(() => element.isConnected ? ask() : theme.disconnect());
theme.observe(document.body, {attributeFilter: ['class']}); // light or dark
