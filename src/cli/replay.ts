// `npm run replay -- FILE|DIR…`: the command `replay` under the name it had before the others came.
process.argv.splice(2, 0, "replay");
await import("./main.ts");
