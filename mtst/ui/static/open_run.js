() => {
  // Let the Train tab follow the run whose token the browser has just stored, as soon as the tab is there.
  const look = () => {
    const button = document.querySelector('#train-look');
    button ? button.click() : setTimeout(look, 50);
  };
  look();
}
