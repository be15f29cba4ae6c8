/** An element with attributes and children. Text is text: nothing that anybody typed becomes HTML. */
export function element<Name extends keyof HTMLElementTagNameMap>(name: Name,
  attributes: Readonly<Record<string, string>>,
  children: readonly (Node | string)[] = []): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/**
 * A button that does something. It can't be pressed again before that is done, nor can what comes in its place by the
 * second half of a double click.
 */
export function button(text: string, act: () => Promise<void>,
  attributes: Readonly<Record<string, string>> = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, [text]);
  made.addEventListener("click", ({ detail: clicks }) => {
    if (clicks > 1) return;
    made.disabled = true;
    void act().finally(() => {
      made.disabled = false;
    });
  });
  return made;
}
