() => document.querySelector('#train-rows-save').click()
