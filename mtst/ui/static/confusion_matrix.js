// A click on a cell, <button data-key="…">, is a `select` event with that key, and the cell stays marked. Each matrix is
// one stop of the tab key: arrow keys, Home and End move between its cells.
const cells = matrix => [...matrix.querySelectorAll('button[data-key]')];
const place = cell => [cell.closest('tr').rowIndex, cell.closest('td').cellIndex];

function stop(cell) {
  cells(cell.closest('table')).forEach(each => each.tabIndex = each === cell ? 0 : -1);
}
function ready() {
  element.querySelectorAll('table.confusion').forEach(matrix => {
    const all = cells(matrix);
    if (all.length) stop(all.find(each => each.getAttribute('aria-pressed') === 'true') ?? all[0]);
  });
}
// The nearest cell in a direction: along the same row or column first, and cells without rows are passed over.
function neighbour(cell, down, right) {
  const [row, column] = place(cell), steps = each => {
    const [r, c] = place(each), ahead = (r - row) * down + (c - column) * right;
    return ahead <= 0 ? Infinity : ahead + 100 * Math.abs(down ? c - column : r - row);
  };
  return cells(cell.closest('table')).reduce((best, each) => steps(each) < steps(best ?? cell) ? each : best, null);
}
const DIRECTIONS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};

element.addEventListener('click', event => {
  const cell = event.target.closest('button[data-key]');
  if (!cell) return;
  element.querySelectorAll('button[data-key]').forEach(each => each.setAttribute('aria-pressed', each === cell));
  stop(cell);
  trigger('select', {key: cell.dataset.key});
});
element.addEventListener('keydown', event => {
  const cell = event.target.closest('button[data-key]'), way = DIRECTIONS[event.key];
  if (!cell || !(way || ['Home', 'End'].includes(event.key))) return;
  const next = way ? neighbour(cell, ...way) : cells(cell.closest('table')).at(event.key === 'Home' ? 0 : -1);
  event.preventDefault();
  if (next) { stop(next); next.focus(); }
});
watch('value', ready);
ready();
