() => {
  // Another tab may have resumed a run that this one shows as broken off: look again when this one is seen again.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible'
    && document.querySelector('#train-status :is(.interrupted, .stopped, .failed)')
    && document.querySelector('#train-look')?.click());
}
