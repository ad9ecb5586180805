// A click on <button data-key="…"> is a `select` event with that key.
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-key]');
  if (button) trigger('select', {key: button.dataset.key});
});
