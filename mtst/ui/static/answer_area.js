// An answer has a title with `data-of`, the key of its question. A new answer is scrolled into view and focused; when
// the same answer is drawn again, the page stays where it is.
let last;
const arrive = () => {
  const title = element.querySelector('[data-of]'), isNew = title && title.dataset.of !== last;
  if (isNew) title.parentElement.scrollIntoView({block: 'nearest'});
  if (isNew || title && document.activeElement === document.body) title.focus({preventScroll: true});
  last = title?.dataset.of;
};
watch('value', arrive);
arrive();
