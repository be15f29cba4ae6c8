/**
 * What `GET /private/{role}` gives whom it lets in: paragraphs by role. For lessons of your own, put them here, or
 * look them up where you keep them: what is in this file is in no page, so only who paid can read it.
 */
export const lessons: ReadonlyMap<string, readonly string[]> = new Map([
  ["serverless-handbook", [
    "A function that nobody calls costs nothing, and a thousand callers at once find a thousand.",
    "So keep no state in it: what must last belongs into a queue or a table before you answer.",
  ]],
  ["react-for-dataviz", [
    "Let React own the elements and D3 the numbers: a scale is a function, and a chart renders it.",
    "Then an axis is a component like any other, and data that changes is only a new prop.",
  ]],
  ["club", ["This month: reading a webhook's sender out of its source instead of its documentation."]],
  ["club-premium", ["Office hours are on Thursdays; bring a log line that you don't understand."]],
  ["masterclass", ["Week one: write down what must never happen, and only then what should."]],
]);
