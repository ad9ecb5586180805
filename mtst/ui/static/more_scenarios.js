() => {
  // Shows all cards, or the first ones and the chosen one.
  const cards = document.querySelector('#train-scenario'), button = document.querySelector('#train-more');
  const all = cards.toggleAttribute('data-all');
  button.setAttribute('aria-expanded', all);
}
