// plotly.js is larger than all the rest of the page: it is fetched once a visitor does anything, or for the first figure.
window.fetchPlotly = () => {
  const script = Object.assign(document.createElement('script'), {src: 'ADDRESS'});
  const loaded = new Promise(resolve => script.addEventListener('load', resolve));
  document.head.append(script);
  window.fetchPlotly = () => loaded;
  return loaded;
};
for (const event of ['pointerdown', 'keydown', 'drop']) {
  addEventListener(event, () => window.fetchPlotly(), {once: true, capture: true});
}
