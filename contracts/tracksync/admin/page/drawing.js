// Elements out of data. Everything that came in a request or a response becomes text, never markup.

/** An element with these attributes and children; a child that is a string becomes text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Control and bidirectional characters as escapes, so that a text looks like what it is. */
export function printable(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\n" || character === "\t" ? character : `\\u{${character.codePointAt(0).toString(16)}}`);
}

const SIGNS = { passed: "✓ passed", error: "✗ error", warning: "! warning", note: "· note", unchecked: "? unchecked", waiting: "… waiting" };

/** A verdict as a word with a sign, so that its colour is not all that tells it. */
export function verdict(name) {
  return element("span", { class: name }, SIGNS[name] ?? printable(name));
}

/** One line of the list. */
export function row(exchange, chosen) {
  const outcome = exchange.status ?? (exchange.failure ? "–" : "");
  const what = [exchange.path, exchange.user, exchange.clauses.join(" ")].filter(Boolean).join("  ");
  return element("li", {}, element("button", { type: "button", "data-number": exchange.number, "aria-current": chosen ? "true" : null },
    element("span", { class: "number" }, String(exchange.number)), verdict(exchange.verdict), element("span", {}, String(outcome)),
    element("span", {}, printable(what))));
}

/** A body for reading: JSON indented where it is JSON. */
export function body(message) {
  if (message.body_base64 !== undefined) return `base64: ${message.body_base64}`;
  const cut = message.body_bytes === undefined ? "" : `\n… ${message.body_bytes} bytes in all`;
  try {
    // Only where nothing is lost: numbers beyond a double would be shown as others.
    const compact = (text) => text.replace(/\s/g, "");
    const parsed = JSON.parse(message.body);
    if (compact(JSON.stringify(parsed)) === compact(message.body)) return JSON.stringify(parsed, null, 2);
  } catch { /* it is shown as it is */ }
  return (message.body ?? "") + cut;
}

/** A request or a response with its headers. */
export function message(title, first, shown) {
  const headers = shown.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  return element("div", {}, element("h3", {}, title), element("pre", { tabindex: 0, "aria-label": title }, printable(`${first}\n\n${body(shown)}`)),
    element("details", {}, element("summary", {}, `${shown.headers.length} headers`), element("pre", {}, printable(headers))));
}

/** A finding with its clause explained. */
export function finding(one) {
  const who = one.side === "client" ? "the client" : "the mock";
  const lines = [element("h3", {}, `${one.severity} of ${who}: ${one.clause}`), element("p", {}, element("strong", {}, printable(one.message))),
    element("p", {}, `${printable(one.sentence)} [${one.source}, ${one.evidence}]`)];
  if (one.pointer) lines.push(element("p", {}, "at ", element("code", {}, printable(one.pointer))));
  for (const name of ["expected", "actual"]) {
    if (name in one) lines.push(element("p", {}, `${name} `, element("code", {}, printable(JSON.stringify(one[name])))));
  }
  if (one.advice) lines.push(element("p", {}, `What to do: ${printable(one.advice)}`));
  return element("article", { class: one.severity }, ...lines);
}

/** A table of cells; those in `changed` are marked. */
export function cells(title, columns, rows, changed) {
  if (!rows.length) return element("p", { class: "muted" }, `no ${title}`);
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  return element("table", {}, element("caption", {}, title), element("thead", {}, head), element("tbody", {}, ...rows.map(([name, ...values]) => {
    const mark = changed.has(name);
    return element("tr", { class: mark ? "changed" : null }, element("th", { scope: "row" }, printable(name) + (mark ? " (changed)" : "")),
      ...values.map((value) => element("td", {}, element("code", {}, printable(typeof value === "string" ? value : JSON.stringify(value))))));
  })));
}
