// A click on <button data-key="…"> is a `select` event with that key; times are shown in the visitor's own time zone.
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-key]');
  if (button) trigger('select', {key: button.dataset.key});
});
const tell = () => element.querySelectorAll('time[data-at]').forEach(time => {
  const at = new Date(1000 * Number(time.dataset.at)), today = at.toDateString() === new Date().toDateString();
  const clock = at.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
  time.textContent = today ? clock : `${at.toLocaleDateString([], {day: 'numeric', month: 'short'})}, ${clock}`;
  time.dateTime = at.toISOString();
});
tell();
watch('value', tell);
