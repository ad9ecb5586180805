// Tells the page which group was pressed; after the map is drawn anew the button keeps the focus.
let pressed = null;
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-key]');
  if (!button) return;
  pressed = button.dataset.key;
  trigger('select', {key: pressed});
});
watch('value', () => {
  if (pressed === null || document.activeElement !== document.body) return;
  [...element.querySelectorAll('button[data-key]')].find(button => button.dataset.key === pressed)?.focus();
});
