/** A course, and the role that opens it. */
export interface Course {
  readonly name: string;
  /** As in the policy file of the service. */
  readonly role: string;
  readonly about: string;
  /** Its slug in the shop; what somebody buys to get in. */
  readonly slug: string;
}

/** What is taught here. The one file to edit when you copy this. */
export const COURSES: readonly Course[] = [
  { name: "Serverless Handbook", role: "serverless-handbook", slug: "serverless-handbook",
    about: "Backends without servers, for frontend engineers." },
  { name: "React for Data Visualization", role: "react-for-dataviz", slug: "react-for-dataviz",
    about: "Charts that people understand." },
  { name: "Pro Club", role: "club", slug: "proclub", about: "A new lesson every month." },
  { name: "Pro Club Premium", role: "club-premium", slug: "proclub", about: "The same, with office hours." },
  { name: "Masterclass", role: "masterclass", slug: "masterclass", about: "Eight weeks, paid in instalments." },
];
