() => new Promise(resolve => setTimeout(resolve, 1500))
