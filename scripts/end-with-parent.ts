/**
 * npm, killed, tells nobody: what it started would go on under another parent. From here on this process sends itself
 * SIGTERM within a second of that.
 */
export function endWithParent(): void {
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    process.kill(process.pid, "SIGTERM");
  }, 1_000).unref();
}
