import { Presets, SingleBar } from "cli-progress";

import type { Context } from "../context.ts";
import type { Progress as Told } from "../operations/operating.ts";

/** How far a long command is: a bar on a terminal, now and then a line anywhere else, nothing with `--json`. */
export interface Progress {
  /** So many are done. */
  to(done: number): void;
  /** Takes the bar away: what came of it is said instead. Call it also when the work fails. */
  stop(): void;
}

/** What is counted. */
export interface Counted {
  /** In the plural: "sales". */
  readonly what: string;
  /** Null: nobody knows beforehand. */
  readonly total: number | null;
  /** Done before this run: no part of its pace. */
  readonly before: number;
}

/** What shows it. */
export type ProgressParts = Pick<Context, "output" | "questions" | "complain" | "now">;

const LINE_EVERY_MS = 10_000;

/** Begins to show how far some work is. The estimate goes by the pace of this run so far. */
export function startProgress({ what, total, before }: Counted,
  { output, questions, complain, now }: ProgressParts): Progress {
  const began = now();
  const words = (done: number): string => wordsOf({ what, total, done, before, tookMs: now() - began });
  if (output.json) return { to: () => undefined, stop: () => undefined };
  if (questions === null) {
    let last = began;
    return { to: (done) => {
      if (now() - last < LINE_EVERY_MS) return;
      last = now();
      complain(words(done));
    }, stop: () => undefined };
  }
  const columns = process.stderr.columns || WIDTH;
  const bar = new SingleBar({ format: (_, { value }) => barLine(value, total, words(value), columns),
    stream: process.stderr, gracefulExit: false, clearOnComplete: true }, Presets.shades_classic);
  bar.start(total ?? 0, before);
  return { to: (done) => {
    bar.update(done);
  }, stop: () => {
    bar.stop();
  } };
}

/** Shows what an operation tells of its progress; each time it counts something else, that begins anew. */
export function shownProgress(parts: ProgressParts): { readonly tell: (told: Told | null) => void; stop(): void } {
  let shown: { readonly what: string; readonly progress: Progress } | undefined;
  const stop = (): void => {
    shown?.progress.stop();
    shown = undefined;
  };
  return { tell: (told) => {
    if (told === null || shown?.what !== told.what) stop();
    if (told === null) return;
    const { what, done, total } = told;
    shown ??= { what, progress: startProgress({ what, total, before: done }, parts) };
    shown.progress.to(done);
  }, stop };
}

/** Where nobody says how wide a terminal is, and how many columns of it a bar takes at most and at least. */
const WIDTH = 80;
const [LONGEST_BAR, SHORTEST_BAR] = [40, 5];

/** A bar before the words, as long as the terminal has columns for it; none where nobody knows how much there is. */
export function barLine(done: number, total: number | null, words: string, columns: number): string {
  // One column stays free: some terminals begin a new line in the last one.
  const room = Math.min(LONGEST_BAR, columns - words.length - " ".length - 1);
  if (total === null || done > total || total === 0 || room < SHORTEST_BAR) return words;
  const full = Math.round((done / total) * room);
  return `${"\u2588".repeat(full)}${"\u2591".repeat(room - full)} ${words}`;
}

/**
 * How far some work is, in words: `1,990 of 5,000 sales, 39 %, about 1 min left`. A total may be an old count, or not
 * known at all.
 */
export function wordsOf(
  { what, total, ...counts }: Counted & { readonly done: number; readonly tookMs: number },
): string {
  const { done } = counts;
  if (total === null || total === 0 || done > total) return `${grouped(done)} ${what} so far`;
  return `${grouped(done)} of ${grouped(total)} ${what}, ${String(Math.floor((done / total) * 100))} %${
    leftAt({ total, ...counts })
  }`;
}

/** What is left to do, as `, about 12 min left`; nothing until there is a pace to go by. */
export function leftAt(
  { total, done, before, tookMs }: { readonly total: number; readonly done: number; readonly before: number;
    readonly tookMs: number },
): string {
  if (done <= before || done >= total) return "";
  return `, ${about((tookMs / (done - before)) * (total - done))} left`;
}

/** A time (ms) as people say it: `about 2 h 5 min`. */
export function about(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `about ${String(minutes)} min`;
  return `about ${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}

/** A count with its thousands apart: `5,000`. */
export function grouped(count: number): string {
  return count.toLocaleString("en-GB");
}

/** A number of things: `1 buyer`, `5,000 buyers`. */
export function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? "" : "s"}`;
}
