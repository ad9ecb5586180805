() => {
  // Gradio's tabs have no arrow keys, which a tab list needs, and start at the first tab on every load. This adds the
  // keys and remembers the open tab, unless the browser denies storage, as it may inside a frame.
  const storages = () => [sessionStorage, localStorage];
  const remember = name => {
    try {
      storages().forEach(storage => storage.setItem('mtst-tab', name));
    } catch {}
  };
  const remembered = () => {
    try {
      return storages().map(storage => storage.getItem('mtst-tab')).find(Boolean);
    } catch { return null; }
  };
  const title = tab => tab.textContent.trim();
  // The first comparison and the first map start when their tab is first shown: Gradio's own load event comes with every
  // page, whichever tab it opens at.
  const press = selector => {  // Gradio makes what is in a tab when the tab is first shown
    const button = document.querySelector(selector);
    button ? button.click() : setTimeout(press, 50, selector);
  };
  const first = {Compare: '#compare-go', Map: '#map-go'};
  const opened = name => {
    remember(name);
    const button = first[name];
    delete first[name];
    if (button) press(button);
  };
  const tabs = [...document.querySelectorAll('#tabs [role=tab], #tabs .overflow-dropdown button')];
  const start = tabs.find(tab => title(tab) === remembered());
  start?.click();
  opened(start ? title(start) : 'Start');
  const list = document.querySelector('#tabs [role=tablist]');
  new MutationObserver(() => {
    const selected = list.querySelector('[aria-selected=true]');
    selected && opened(title(selected));
  }).observe(list, {subtree: true, childList: true, attributeFilter: ['aria-selected']});
  const steps = {ArrowRight: 1, ArrowLeft: -1, Home: 0, End: 0};
  document.addEventListener('keydown', event => {
    const tab = event.target.closest?.('[role=tab]'), step = steps[event.key];
    if (!tab || step === undefined) return;
    const enabled = [...tab.closest('[role=tablist]').querySelectorAll('[role=tab]:not([aria-disabled=true])')];
    const index = step ? (enabled.indexOf(tab) + step) % enabled.length : event.key === 'Home' ? 0 : -1;
    const next = enabled.at(index);
    next.focus(); next.click(); event.preventDefault();
  });
}
