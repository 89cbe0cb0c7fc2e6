// The npm package braze-api, adapted to POST /users/track/sync: what it lacks is added around it.
//
// The package knows /users/track only, tries nothing again, and hides headers from its caller. Its own request function
// is used as it is; the rate headers are read where its responses come in.

import { AsyncLocalStorage } from "node:async_hooks";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import path from "node:path";

const FIRST_PAUSE = 100; // milliseconds; doubles each time
const ATTEMPTS = 5;
const TIME_OUT = 30_000;
const DENIED = [401, 403];
const MAYBE_APPLIED = [500, 504];
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Where the package is not beside this file, BRAZE_API_FOLDER says in which folder it was installed.
const require = createRequire(path.join(process.env.BRAZE_API_FOLDER ?? import.meta.dirname, "package.json"));
const { Braze } = require("braze-api");
const { buildOptions, post } = require(path.join(path.dirname(require.resolve("braze-api")), "common", "request"));
const fetching = createRequire(require.resolve("braze-api"))("node-fetch");

const stores = new AsyncLocalStorage();
const plainFetch = fetching.default;
fetching.default = async (url, options) => {
  const { agent, closed } = watched(url);
  const response = await plainFetch(url, { ...options, agent, timeout: TIME_OUT });
  const seen = stores.getStore();
  if (seen) Object.assign(seen, { status: response.status, headers: response.headers });
  // node-fetch 2 does not notice that a connection ended in the middle of a body, and would wait for ever.
  closed.then(() => setImmediate(() => response.body.writableEnded || response.body.destroy(new Error("cut off"))));
  return response;
};

// An agent of one connection, and when that has ended.
function watched(url) {
  const agent = new (String(url).startsWith("https:") ? https : http).Agent();
  const connect = agent.createConnection;
  const closed = new Promise((resolve) => {
    agent.createConnection = (...words) => connect.apply(agent, words).once("close", resolve);
  });
  return { agent, closed };
}

export class SyncBraze extends Braze {
  #turns = new Map();
  #notBefore = 0; // the reset time of the last 429, in milliseconds

  // Sends `body`. `shown` finds the values in the entry of the user, or gives null.
  async trackSync(body, { shown, repeatable, deadline }) {
    const until = Date.now() + deadline * 1000;
    const user = JSON.stringify(this.userOf(body));
    const before = this.#turns.get(user) ?? Promise.resolve();
    const turn = this.turn(before).then(() => this.attempt(body, shown, repeatable, until));
    this.#turns.set(user, turn.catch(() => {}));
    return turn;
  }

  userOf(body) {
    const [[target]] = Object.values(body);
    return [target.external_id, target.user_alias, target.email, target.phone];
  }

  // For one user the next request goes out after the response to the one before.
  turn(before) {
    return before;
  }

  async attempt(body, shown, repeatable, until) {
    let pause = FIRST_PAUSE;
    for (let attempts = 1; ; attempts += 1) {
      if (!(await this.wait(this.#notBefore - Date.now(), until)))
        return { outcome: "rate_limited", attempts: attempts - 1, message: "the limit outlasts the deadline" };
      const seen = {};
      let result;
      let again;
      try {
        const data = await stores.run(seen, () =>
          post(`${this.apiUrl}/users/track/sync`, body, buildOptions({ apiKey: this.apiKey })),
        );
        return { ...this.conclude(data, shown), attempts };
      } catch (error) {
        const { status } = seen;
        if (status === 429) {
          this.noteLimit(seen, attempts);
          result = { outcome: "rate_limited" };
          again = attempts < ATTEMPTS;
        } else if (status >= 400 && status < 500) {
          result = { outcome: this.refused(status) };
          again = this.mayRepeatRefused() && attempts < 3;
        } else {
          result = { outcome: "failed" };
          const safe = status >= 500 ? repeatable || !MAYBE_APPLIED.includes(status) : this.mayRepeatLost(repeatable);
          again = safe && attempts < ATTEMPTS && (await this.wait(this.pause(pause), until));
          pause *= 2;
        }
        result.message = `answered ${status ?? "nothing"} (${error.name})`; // never its text: it may hold the key
      }
      if (!again) return { ...result, attempts };
    }
  }

  async wait(milliseconds, until) {
    if (Date.now() + Math.max(milliseconds, 0) > until) return false;
    if (milliseconds > 0) await sleep(milliseconds);
    return true;
  }

  pause(milliseconds) {
    return milliseconds;
  }

  // Where the clocks differ, the reset time may seem past.
  noteLimit(seen, attempts) {
    const reset = Number(seen.headers.get("x-ratelimit-reset")) * 1000;
    this.limitUntil(reset > Date.now() ? reset + 50 : Date.now() + attempts * 1000);
  }

  limitUntil(moment) {
    this.#notBefore = moment;
  }

  refused(status) {
    return DENIED.includes(status) ? "unauthorised" : "rejected";
  }

  mayRepeatLost(repeatable) {
    return repeatable;
  }

  mayRepeatRefused() {
    return false;
  }

  conclude(data, shown) {
    if (data?.message !== "success") throw new TypeError("not a response of the endpoint");
    const [user] = data.users ?? [];
    const values = user ? shown(user) : null;
    return values ? { outcome: "applied", values } : { outcome: "not_applied" };
  }
}
