// Milliseconds to import the first module in a process that has loaded the others before.
const [name, ...before] = process.argv.slice(2)
for (const other of before) await import(other)
const begun = performance.now()
await import(name)
console.log(JSON.stringify(performance.now() - begun))
