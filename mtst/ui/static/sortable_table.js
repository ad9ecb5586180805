// Sorts the rows of a table by the column whose heading is pressed, and the other way when it is pressed again.
element.addEventListener('click', event => {
  const heading = event.target.closest('th:has(button)');
  if (!heading) return;
  const body = heading.closest('table').tBodies[0], column = heading.cellIndex;
  const down = heading.getAttribute('aria-sort') !== 'descending';
  for (const other of heading.parentElement.cells) other.removeAttribute('aria-sort');
  heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const key = row => Number(row.cells[column].dataset.order);
  body.append(...[...body.rows].sort((a, b) => down ? key(b) - key(a) : key(a) - key(b)));
});
