// The inspector: shows what the mock does while it does it, and steers it, all by the admin API beside this page.
import { cells, element, finding, message, printable, row, verdict } from "./drawing.js";

const MOST_ROWS = 300;
const FINDINGS = ["error", "warning", "note"];
const at = (id) => document.getElementById(id);
const state = { workspace: null, exchanges: new Map(), chosen: null, missed: 0, last: 0, settings: null, catalogue: null,
  user: null, userShown: null, userChanged: {}, source: null, drawing: false };

// --- the API ---------------------------------------------------------------------------------------------------------

function address(path, parameters = {}) {
  const query = new URLSearchParams(parameters);
  if (state.workspace !== null) query.set("workspace", state.workspace);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function call(method, path, body, parameters) {
  const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await fetch(address(path, parameters), { method, ...sent });
  const text = await response.text();
  if (!response.ok) {
    let error = `${method} ${path} is answered ${response.status}`;
    try { error = JSON.parse(text).error; } catch { /* the status says it */ }
    throw new Error(error);
  }
  return text ? JSON.parse(text) : null;
}

function say(text, failed = false) {
  at("result").textContent = text;
  at("result").className = failed ? "error" : "";
}

/** Carry out what a control is for, and say how it went. */
function acting(done, action) {
  return async (event) => {
    try {
      await action(event);
      say(done);
    } catch (error) {
      say(error.message, true);
      showSettings();
    }
  };
}

// --- what comes ------------------------------------------------------------------------------------------------------

function listen() {
  state.source?.close();
  state.source = new EventSource(address("events", { after: state.last }));
  state.source.onopen = () => connection("live", "live");
  state.source.onerror = () => connection("lost", "the mock is not reachable; trying again");
  state.source.addEventListener("exchanges", (event) => take(JSON.parse(event.data)));
  state.source.addEventListener("status", (event) => showStatus(JSON.parse(event.data)));
}

function connection(name, text) {
  at("connection").className = name;
  at("connection").textContent = text;
}

function take({ exchanges, missed }) {
  state.missed += missed;
  for (const one of exchanges) {
    const before = state.exchanges.get(one.number);
    state.exchanges.set(one.number, one);
    state.last = Math.max(state.last, one.number);
    if (one.number === state.chosen && before?.verdict !== one.verdict) choose(one.number, false);
  }
  for (const number of state.exchanges.keys()) {
    if (state.exchanges.size <= MOST_ROWS) break;
    state.exchanges.delete(number);
  }
  drawSoon();
  refreshUsersSoon();
}

function drawSoon() {
  if (state.drawing) return;
  state.drawing = true;
  requestAnimationFrame(() => { state.drawing = false; draw(); });
}

function wanted(one) {
  const text = at("filter-text").value.toLowerCase();
  if (at("filter-verdict").value === "findings" && !FINDINGS.includes(one.verdict)) return false;
  return !text || [one.path, one.user, one.clauses.join(" "), one.method, String(one.status)].join(" ").toLowerCase().includes(text);
}

function draw() {
  const focused = document.activeElement?.dataset?.number;
  const shown = [...state.exchanges.values()].filter(wanted).reverse();
  at("list").replaceChildren(...shown.map((one) => row(one, one.number === state.chosen)));
  at("empty").hidden = state.exchanges.size > 0;
  at("missed").hidden = state.missed === 0;
  at("missed").textContent = `${state.missed} exchanges had left the log before they could be shown.`;
  if (focused) at("list").querySelector(`[data-number="${focused}"]`)?.focus({ preventScroll: true });
}

function showStatus(status) {
  const sync = status.windows["/users/track/sync"];
  at("user-count").textContent = status.users;
  at("queued").textContent = status.queued;
  at("clock").textContent = new Date(status.now * 1000).toISOString().slice(0, 19) + "Z" + (status.advanced ? ` (+${status.advanced} s)` : "");
  at("scenario-now").textContent = status.settings.scenario;
  Object.assign(at("window-meter"), { max: sync.limit, value: sync.used });
  at("window-text").textContent = `${sync.used} of ${sync.limit}, ${Math.max(0, Math.round(sync.reset - status.now))} s left`;
  if (status.requests < state.last || status.first > state.last + 1) state.last = status.requests;
  for (const number of [...state.exchanges.keys()]) if (number < status.first) { state.exchanges.delete(number); drawSoon(); }
  const changed = JSON.stringify(state.settings) !== JSON.stringify(status.settings);
  state.settings = status.settings;
  if (changed && !at("settings-form").contains(document.activeElement)) showSettings();
}

// --- one exchange ----------------------------------------------------------------------------------------------------

async function choose(number, byUser = true) {
  state.chosen = number;
  drawSoon();
  let one;
  try { one = await call("GET", `log/${number}`); } catch (error) { say(error.message, true); return; }
  if (state.chosen !== number) return;
  at("detail-head").replaceChildren(`Exchange ${number} `, verdict(one.verdict));
  const answer = one.response ? message("Response", String(one.response.status), one.response)
    : element("div", {}, element("h3", {}, "Response"), element("p", {}, printable(one.failure || "none")));
  const facts = [`${one.method} ${one.path}`, one.user, one.seconds === null ? "under way" : `${(one.seconds * 1000).toFixed(1)} ms`,
    one.disturbed ? "the scenario decided the response" : "", one.unchecked && `not checked: ${one.unchecked}`];
  const changed = one.changed && element("p", {}, one.changed.created ? "created the user; " : "", ...one.changed.cells.map((cell) =>
    element("span", {}, element("code", {}, printable(cell.name)), ` ${cell.change} `)), element("button", { type: "button", onclick: () => showUser(one.changed.braze_id) }, "Show the user"));
  const copied = element("span", { role: "status" });
  at("detail-body").replaceChildren(...[element("p", {}, printable(facts.filter(Boolean).join(" · "))), changed, ...one.findings.map(finding),
    element("div", { class: "sides" }, message("Request", `${one.request.method} ${one.request.path}`, one.request), answer),
    element("div", { class: "row" }, element("button", { type: "button", id: "copy", onclick: () => copy(one.curl, copied) }, "Copy as curl"), copied,
      element("a", { href: address("cassette", { number }), download: `tracksync-${number}.yaml`, id: "save" }, "Save as cassette")),
    element("details", {}, element("summary", {}, "curl"), element("pre", { id: "curl" }, printable(one.curl))),
    element("details", {}, element("summary", {}, `bore on ${one.covered.length} clauses`), element("p", {}, element("code", {}, one.covered.join(" "))))].filter(Boolean));
  if (byUser && matchMedia("(max-width: 50rem)").matches) at("detail").scrollIntoView();
}

async function copy(text, note) {
  try {
    await navigator.clipboard.writeText(text);
    note.textContent = "copied";
  } catch {
    at("curl").parentElement.open = true;
    getSelection().selectAllChildren(at("curl"));
    note.textContent = "selected; copy it by hand";
  }
}

// --- users -----------------------------------------------------------------------------------------------------------

let usersDue = null;
function refreshUsersSoon() {
  usersDue ??= setTimeout(() => { usersDue = null; refreshUsers(); }, 300);
}

async function refreshUsers() {
  let found;
  try { found = await call("GET", "users", undefined, { matching: at("user-filter").value, limit: 50 }); } catch { return; }
  const name = (user) => user.external_id ?? user.email ?? user.phone ?? user.user_aliases?.map((alias) => `${alias.alias_label}: ${alias.alias_name}`)[0] ?? user.braze_id;
  at("user-list").replaceChildren(...found.users.map((user) => element("li", {}, element("button",
    { type: "button", "aria-current": user.braze_id === state.user ? "true" : null, "data-user": user.braze_id }, printable(name(user))))));
  if (state.user === null && found.users.length) state.user = found.users[0].braze_id;
  if (state.user !== null) await drawUser();
}

const SECTIONS = { attributes: "custom_attributes", events: "custom_events", purchases: "purchases" };
const byName = (user, section) => section === "attributes" ? Object.entries(user.custom_attributes)
  : user[SECTIONS[section]].map((one) => [one.name, one.count, one.first, one.last]);

/** The names of the cells that differ between two looks at a user. */
function differing(before, after, section) {
  const earlier = new Map(byName(before, section).map(([name, ...values]) => [name, JSON.stringify(values)]));
  return new Set(byName(after, section).filter(([name, ...values]) => earlier.get(name) !== JSON.stringify(values)).map(([name]) => name));
}

async function drawUser() {
  let user;
  try { user = await call("GET", "user", undefined, { braze_id: state.user }); } catch {
    at("user").replaceChildren(element("p", { class: "muted" }, "The user is gone."));
    state.userShown = null;
    return;
  }
  const same = state.userShown?.braze_id === user.braze_id;
  if (!same) state.userChanged = { attributes: new Set(), events: new Set(), purchases: new Set() };
  else if (JSON.stringify(state.userShown) !== JSON.stringify(user)) {
    for (const section of Object.keys(SECTIONS)) state.userChanged[section] = differing(state.userShown, user, section);
  }
  state.userShown = user;
  const counted = ["name", "count", "first", "last"];
  const others = Object.entries(user).filter(([name]) => !Object.values(SECTIONS).includes(name));
  at("user").replaceChildren(cells("profile", ["field", "value"], others, new Set()),
    cells("attributes", ["name", "value"], byName(user, "attributes"), state.userChanged.attributes),
    cells("events", counted, byName(user, "events"), state.userChanged.events),
    cells("purchases", counted, byName(user, "purchases"), state.userChanged.purchases));
}

function showUser(id) {
  state.user = id;
  refreshUsers();
  at("users").focus();
}

// --- switches --------------------------------------------------------------------------------------------------------

function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => element("option", { value, selected: value === chosen }, printable(text))));
  select.value = chosen;
}

function showSettings() {
  const { settings, catalogue } = state;
  if (!settings || !catalogue) return;
  options(at("scenario"), catalogue.scenarios.map((one) => [one.name, one.name]), settings.scenario);
  at("scenario-sentence").textContent = catalogue.scenarios.find((one) => one.name === settings.scenario)?.sentence ?? "";
  const sentence = (name) => catalogue.faults.find((one) => one.name === name)?.sentence ?? "";
  at("faults").replaceChildren(...settings.faults.map((name) => element("li", {}, element("code", {}, name), ` ${sentence(name)} `,
    element("button", { type: "button", onclick: acting(`${name} is out`, () => change({ faults: state.settings.faults.filter((one) => one !== name) })) }, `Remove ${name}`))));
  showAmbiguity();
  at("rate-limit").value = settings.rate_limit;
  at("array-limit").value = settings.array_limit;
}

function showAmbiguity() {
  const ambiguity = state.catalogue.interpretations.find((one) => one.ambiguity === at("ambiguity").value) ?? state.catalogue.interpretations[0];
  at("question").textContent = ambiguity.question;
  const chosen = state.settings.interpretations[ambiguity.ambiguity] ?? ambiguity.default;
  options(at("interpretation"), ambiguity.interpretations.map((one) => [one.name, `${one.name}: ${one.sentence}`]), chosen);
}

async function change(settings) {
  state.settings = await call("PATCH", "settings", settings);
  showSettings();
}

function wire() {
  at("list").addEventListener("click", (event) => {
    const number = event.target.closest("button")?.dataset.number;
    if (number) choose(Number(number));
  });
  for (const id of ["list", "user-list"]) {
    at(id).addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      const next = step && event.target.closest("li")?.[step]?.firstElementChild;
      if (next) { event.preventDefault(); next.focus(); }
    });
  }
  at("user-list").addEventListener("click", (event) => {
    const id = event.target.closest("button")?.dataset.user;
    if (id) { state.user = id; refreshUsers(); }
  });
  at("filter").addEventListener("submit", (event) => event.preventDefault());
  at("settings-form").addEventListener("submit", (event) => event.preventDefault());
  at("filter-text").addEventListener("input", drawSoon);
  at("filter-verdict").addEventListener("change", drawSoon);
  at("user-filter").addEventListener("input", refreshUsersSoon);
  at("clear").addEventListener("click", acting("the log is empty", async () => { await call("DELETE", "log"); state.exchanges.clear(); draw(); }));
  at("scenario").addEventListener("change", acting("the scenario is played from the next request on", () => change({ scenario: at("scenario").value })));
  at("add-fault").addEventListener("click", acting("the fault is injected", async () => {
    await change({ faults: [...state.settings.faults, at("fault").value.trim()] });
    at("fault").value = "";
  }));
  at("ambiguity").addEventListener("change", showAmbiguity);
  at("interpretation").addEventListener("change", acting("the interpretation is followed from the next request on",
    () => change({ interpretations: { [at("ambiguity").value]: at("interpretation").value } })));
  at("rate-limit").addEventListener("change", acting("the limit is set", () => change({ rate_limit: Number(at("rate-limit").value) })));
  at("array-limit").addEventListener("change", acting("the limit is set", () => change({ array_limit: Number(at("array-limit").value) })));
  at("advance").addEventListener("click", acting("the clock is a minute further", () => call("POST", "clock", { advance: 60 })));
  at("settle").addEventListener("click", acting("everything is applied", async () => { await call("POST", "settle", {}); refreshUsers(); }));
  at("reset").addEventListener("click", acting("the workspace is empty", async () => { await call("POST", "reset", {}); state.exchanges.clear(); draw(); refreshUsers(); }));
  at("restore").addEventListener("change", acting("the snapshot is restored", async (event) => {
    await call("PUT", "snapshot", await event.target.files[0].text());
    refreshUsers();
  }));
  at("workspace").addEventListener("change", () => {
    Object.assign(state, { workspace: at("workspace").value, chosen: null, missed: 0, last: 0, user: null, userShown: null });
    state.exchanges.clear();
    start();
  });
}

async function start() {
  at("snapshot").href = address("snapshot");
  state.settings = await call("GET", "settings");
  showSettings();
  draw();
  refreshUsers();
  listen();
}

wire();
const { workspaces } = await call("GET", "workspaces");
at("workspace-label").hidden = workspaces.length < 2;
options(at("workspace"), workspaces.map((one) => [one.workspace, one.workspace]), workspaces[0].workspace);
await start();
state.catalogue = await call("GET", "catalogue");
at("fault-names").replaceChildren(...state.catalogue.faults.map((one) => element("option", { value: one.name }, printable(one.sentence))));
options(at("ambiguity"), state.catalogue.interpretations.map((one) => [one.ambiguity, one.ambiguity]), state.catalogue.interpretations[0].ambiguity);
showSettings();
document.body.dataset.ready = "true";
