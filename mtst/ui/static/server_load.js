// Says how busy the server is, every few seconds while it can be seen; the page itself is not asked for it.
const line = element.querySelector('p');
const runs = health => health.training ? `a run trains, ${health.waiting || 'none'} waiting` : 'nobody trains now';

async function look() {
  if (!element.isConnected) return clearInterval(timer);
  if (document.hidden || !line.offsetParent) return;
  try {
    const health = await (await fetch(new URL('health', document.baseURI))).json();
    const percent = share => `${Math.round(share)}%`;
    line.textContent =
      `This server: ${runs(health)}; processors ${percent(health.cpu)} busy, memory ${percent(health.memory)} full.`;
  } catch {
    line.textContent = 'This server does not answer at the moment.';
  }
}
const timer = setInterval(look, 5000);
new ResizeObserver(look).observe(line); // the tab is shown
