() => { for (const id of ['scenarios-html', 'scenarios-json']) document.querySelector('#' + id).click(); }
