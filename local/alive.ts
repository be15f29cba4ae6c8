import { systemCodeOf } from "./aws/errors.ts";

/** Whether a process of that id runs, whoever's it is. What is no id is nobody's. */
export function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return systemCodeOf(error) === "EPERM";
  }
}
