// Draws `props.value`, the rows of the layer map, and patches them when a value arrives: focus and a melt under way
// survive. Names come from visitors: they are set as text, never as markup.
const list = element.querySelector('.lmap-rows'), body = element.querySelector('.lmap-body');
const art = element.querySelector('.lmap-art'), NS = 'http://www.w3.org/2000/svg';
const GAP = 4, GUTTER = 34, CORE = 12, MELT = 1200, LEAST = 3;
// A pattern is not drawn from a part of the page that is hidden, so every map has its own, under an id of its own.
const own = `lmap-${Math.random().toString(36).slice(2)}`, HATCH = `url(#${own}-hatch)`;
element.querySelector('pattern').id = `${own}-hatch`;
element.querySelectorAll('symbol').forEach(symbol => symbol.id = `${own}-${symbol.getAttribute('class')}`);
const still = matchMedia('(prefers-reduced-motion: reduce)');
let keys = '', melts = {}, ticking = false;

const make = (name, attributes, parent = art) => {
  const node = document.createElementNS(NS, name);
  Object.entries(attributes).forEach(([key, value]) => key === 'style' ? node.style.cssText = value : node.setAttribute(key, value));
  return parent.appendChild(node);
};
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function build(rows) {
  list.replaceChildren(...rows.map(row => {
    const item = document.createElement('li');
    item.innerHTML = `<button type="button" class="layer"><svg class="state" aria-hidden="true"><use/></svg><span class="layer-text"><span class="title"></span><span class="size"></span></span><span class="words"></span><span class="rate"></span></button>`;
    item.firstChild.dataset.key = row.key;
    return item;
  }));
}

function draw() {
  const rows = Array.isArray(props.value) ? props.value : [], frame = props.frame ?? {};
  const found = JSON.stringify(rows.map(row => row.key));
  const fresh = found !== keys;
  if (fresh) { build(rows); melts = {}; keys = found; }
  element.firstElementChild.classList.toggle('small', frame.row < 40);
  element.firstElementChild.classList.toggle('live', Boolean(frame.live));
  body.style.setProperty('--row', `${frame.row}px`);
  put(element.querySelector('.heading'), frame.heading ?? '');
  put(element.querySelector('.lmap-foot'), [frame.foot, frame.scale && `A row is full at a change of ${frame.scale}.`].filter(Boolean).join(' '));
  [...list.children].forEach((item, i) => {
    const row = rows[i], button = item.firstChild, was = button.classList.contains('lit');
    if (!fresh && row.open && !was && frame.live && !still.matches) melts[row.key] = performance.now();
    button.classList.toggle('lit', row.open);
    button.querySelector('use').setAttribute('href', `#${own}-${row.open ? 'open' : 'frozen'}`);
    put(button.querySelector('.title'), row.title);
    put(button.querySelector('.size'), row.size);
    put(button.querySelector('.words'), row.words);
    put(button.querySelector('.rate'), row.rate ? `rate ${row.rate}` : '');
    button.style.setProperty('--task', row.hue || 'transparent');
    button.setAttribute('aria-label', row.label);
    if (frame.pressable) button.setAttribute('aria-pressed', row.open); else button.removeAttribute('aria-pressed');
    button.disabled = !frame.pressable;
  });
  if (Object.keys(melts).length && !ticking) { ticking = true; requestAnimationFrame(step); }
  paint();
}

function step(now) {
  Object.keys(melts).forEach(key => { if (now - melts[key] > MELT) delete melts[key]; });
  paint(now);
  ticking = Object.keys(melts).length > 0 && element.isConnected;
  if (ticking) requestAnimationFrame(step);
}

// The art behind the rows: the core with the true shares, a thread to each row, ice or warmth, and the fill.
function paint(now = performance.now()) {
  const rows = Array.isArray(props.value) ? props.value : [], height = props.frame?.row ?? 46;
  const width = body.clientWidth, whole = rows.length * (height + GAP) - GAP, wide = width - GUTTER;
  if (wide < 80 || !rows.length) return;
  art.setAttribute('viewBox', `0 0 ${width} ${whole}`);
  art.replaceChildren();
  const free = whole - LEAST * rows.length, start = Math.min(150, 0.38 * wide), room = wide - start - Math.min(118, 0.3 * wide);
  let core = 0;
  rows.forEach((row, i) => {
    const y = i * (height + GAP), tall = LEAST + free * row.share, left = GUTTER;
    make('path', {d: `M${CORE} ${core}C${CORE + 12} ${core},${left - 12} ${y + 4},${left} ${y + 4}V${y + height - 4}C${left - 12} ${y + height - 4},${CORE + 12} ${core + tall - 1},${CORE} ${core + tall - 1}z`,
      style: `fill: var(--${row.open ? 'warm' : 'ice'}-1); opacity: .7`});
    make('rect', {x: 0, y: core, width: CORE, height: Math.max(2, tall - 1), rx: 1.5, style: `fill: var(--${row.open ? 'warm' : 'ice-3'})`});
    core += tall;
    const clip = `${own}-clip-${i}`, box = {x: left + .5, y: y + .5, width: wide - 1, height: height - 1, rx: 8};
    make('rect', box, make('clipPath', {id: clip}));
    const inside = make('g', {'clip-path': `url(#${clip})`}), plain = (x, w, fill, parent = inside) => make('rect', {x, y, width: Math.max(0, w), height, style: `fill: ${fill}`}, parent);
    if (row.open) {
      plain(left, wide, 'var(--warm-0)');
      if (!props.frame.scale) plain(left, wide, 'var(--warm-1)');
      else {
        plain(left, start, 'var(--warm-1)');
        const end = left + start + row.fill * room;
        if (row.fill) {
          plain(left + start, end - left - start, 'var(--warm-2)');
          make('rect', {class: 'front', x: end - 1.25, y, width: 2.5, height, style: 'fill: var(--warm)'}, inside);
        }
      }
      const since = melts[row.key] ? Math.min(1, (now - melts[row.key]) / MELT) : 1;
      if (since < 1) { // the ice runs down in a wave, and drops fall
        const ease = 1 - (1 - since) ** 3, level = y + height * ease * 1.15;
        let wave = `M${left} ${y + height}`;
        for (let k = 0; k <= 24; k++) wave += `L${left + k / 24 * wide} ${level + Math.sin(k * 1.1 + now / 150) * 4 * (1 - since) + Math.sin(k * .37) * 6 * ease}`;
        make('path', {d: `${wave}L${left + wide} ${y + height}z`, style: `fill: ${HATCH}`}, inside);
        for (let k = 0; k < 4; k++) {
          const fallen = (since * 1.6 + k * .23) % 1;
          make('circle', {cx: left + wide * (.2 + k * .19), cy: y + height - 2 + fallen * 22, r: 2.4 * (1 - fallen), style: 'fill: var(--ice-3)'});
        }
      }
    } else plain(left, wide, HATCH);
    make('rect', {...box, style: `fill: none; stroke: var(--${row.open ? 'warm-3' : 'ice-2'})`});
  });
}

element.addEventListener('click', event => {
  const button = event.target.closest('button[data-key]');
  if (button && !button.disabled) trigger('select', {key: button.dataset.key});
});
watch('value', draw);
watch('frame', draw);
new ResizeObserver(() => paint()).observe(body);
draw();
