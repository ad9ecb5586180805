// Saves or copies the SVG in the element; a click on <button data-key="…"> is a `select` event with that key.
const WIDTH = 1200, HEIGHT = 630, SCALE = 2, NAME = 'mtst-result';
const read = name => getComputedStyle(element).getPropertyValue(name).trim();

// What is wider than its room is squeezed into it.
function fit() {
  for (const text of element.querySelectorAll('text[data-room]'))
    if (text.getComputedTextLength() > Number(text.dataset.room)) {
      text.setAttribute('textLength', text.dataset.room);
      text.setAttribute('lengthAdjust', 'spacingAndGlyphs');
    }
}

// The fonts of the page as rules that need no address: a picture on its own cannot load them.
async function fontRules() {
  const rules = [...document.styleSheets].flatMap(sheet => { try { return [...sheet.cssRules]; } catch { return []; } })
    .filter(rule => rule instanceof CSSFontFaceRule && /IBM Plex (Sans|Mono)/.test(rule.style.fontFamily));
  const wanted = rules.filter(rule => /Sans/.test(rule.style.fontFamily) || rule.style.fontWeight === '700');
  return (await Promise.all(wanted.map(async rule => {
    const address = /url\(["']?([^"')]+)/.exec(rule.style.getPropertyValue('src'))?.[1];
    const base = rule.parentStyleSheet.href ?? document.baseURI;
    const reply = await fetch(new URL(address, base));
    if (!reply.ok) return '';
    const data = await new Promise(done => {
      const reader = Object.assign(new FileReader(), {onload: () => done(reader.result)});
      reply.blob().then(blob => reader.readAsDataURL(blob));
    });
    return `@font-face{font-family:${rule.style.fontFamily};font-weight:${rule.style.fontWeight};src:url(${data})}`;
  }))).join('');
}

// The card as a file of its own: with the colours of the page, light or dark, and its fonts.
async function standalone() {
  const card = element.querySelector('svg').cloneNode(true);
  for (const part of [card, ...card.querySelectorAll('*')])
    for (const attribute of part.attributes) {
      const name = /^var\((--[\w-]+)\)$/.exec(attribute.value)?.[1];
      if (name) attribute.value = read(name);
    }
  const style = document.createElementNS('http://www.w3.org/2000/svg', 'style');
  style.textContent = await fontRules().catch(() => ''); // without them it takes those of the system
  card.prepend(style);
  return new Blob([new XMLSerializer().serializeToString(card)], {type: 'image/svg+xml'});
}

async function png() {
  const image = Object.assign(new Image(), {src: URL.createObjectURL(await standalone())});
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), {width: SCALE * WIDTH, height: SCALE * HEIGHT});
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise(done => canvas.toBlob(done, 'image/png'));
}

function download(blob, format) {
  const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(blob), download: `${NAME}.${format}`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const acts = {
  png: async () => download(await png(), 'png'),
  svg: async () => download(await standalone(), 'svg'),
  copy: async () => navigator.clipboard.write([new ClipboardItem({'image/png': png()})]),
};
element.addEventListener('click', async event => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.key) return trigger('select', {key: button.dataset.key});
  const status = element.querySelector('[role=status]'), copying = button.dataset.save === 'copy';
  try {
    await acts[button.dataset.save]();
    status.textContent = copying ? 'Copied.' : '';
  } catch {
    status.textContent = copying ? 'This browser cannot copy pictures here. Save it instead.' : 'The picture could not be made. Try the other format.';
  }
});
watch('value', () => requestAnimationFrame(fit));
