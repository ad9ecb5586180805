// Says how busy the server is, every few seconds while it can be seen; the page itself is not asked for it.
const line = element.querySelector('p');
const runs = health => health.training ? `1 run in progress, ${health.waiting || 'none'} waiting` : 'no runs in progress';

async function look() {
  if (!element.isConnected) return clearInterval(timer);
  if (document.hidden || !line.offsetParent) return;
  try {
    const health = await (await fetch(new URL('health', document.baseURI))).json();
    const percent = share => `${Math.round(share)}%`;
    line.textContent =
      `Server: ${runs(health)} · CPU ${percent(health.cpu)} · memory ${percent(health.memory)}`;
  } catch {
    line.textContent = 'This server does not answer at the moment.';
  }
}
const timer = setInterval(look, 5000);
new ResizeObserver(look).observe(line); // the tab is shown
