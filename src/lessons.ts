/**
 * What `GET /private/{role}` gives whom it lets in: paragraphs by role. For lessons of your own, put them here, or
 * look them up where you keep them: what is in this file is in no page, so only who paid can read it.
 */
export const lessons: ReadonlyMap<string, readonly string[]> = new Map([
  ["serverless-handbook", [
    "A function that nobody calls costs nothing; for a thousand callers there are a thousand.",
  ]],
  ["react-for-dataviz", ["Let React own the elements and D3 the numbers: a scale is a function, a chart renders it."]],
  ["club", ["This month: reading a webhook's sender out of its source instead of its documentation."]],
  ["club-premium", ["Office hours are on Thursdays; bring a log line that you don't understand."]],
  ["masterclass", ["Week one: write down what must never happen, and only then what should."]],
]);
