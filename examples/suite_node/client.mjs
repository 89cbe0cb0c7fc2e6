// A small client of POST /users/track/sync, which keeps the contract: it waits after a 429, tries again after a 5XX with
// pauses that grow, and reports success only where the response shows the update.

const ATTEMPTS = 6;
const NOT_APPLIED = [429, 502, 503]; // after these, nothing was applied
const TIME_OUT = 60_000; // milliseconds
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export class Failed extends Error {}

export class Client {
  constructor(endpoint = process.env.BRAZE_REST_ENDPOINT, key = process.env.BRAZE_API_KEY) {
    this.url = `${endpoint.replace(/\/+$/, "")}/users/track/sync`;
    this.headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  }

  // Sets attributes of a user, and checks that the response shows them.
  async set(user, attributes) {
    const result = await this.#send({ attributes: [{ external_id: user, ...attributes }] }, { repeatable: true });
    const shown = result.users?.[0]?.custom_attributes ?? {};
    for (const [name, value] of Object.entries(attributes)) {
      if (shown[name] !== value) throw new Failed(`${name} was not applied`);
    }
  }

  // Records an event. It is not sent again when it is not known whether it was applied: it would count twice.
  async event(user, name) {
    const event = { external_id: user, name, time: new Date().toISOString() };
    const result = await this.#send({ events: [event] }, { repeatable: false });
    if (!result.users?.length) throw new Failed(`${name} was not applied`);
  }

  async #send(body, { repeatable }) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      let response, result;
      try {
        const signal = AbortSignal.timeout(TIME_OUT);
        const options = { method: "POST", headers: this.headers, body: JSON.stringify(body), signal };
        response = await fetch(this.url, options);
        if (response.status === 201) result = await response.json();
        else await response.text();
      } catch {
        // Without a whole response it is not known whether it was applied.
      }
      if (result) return result;
      const status = response?.status ?? 0;
      if (status >= 400 && status < 500 && status !== 429) throw new Failed(`refused with ${status}`);
      if (!repeatable && !NOT_APPLIED.includes(status)) throw new Failed("it may have been applied");
      if (status === 429) await this.#waitForReset(response, attempt);
      else await sleep(200 * 2 ** attempt);
    }
    throw new Failed("no success after many tries");
  }

  // The clocks may differ: the pause is at least a second, and grows where the limit is still in force.
  #waitForReset(response, attempt) {
    const reset = Number(response.headers.get("x-ratelimit-reset")) * 1000;
    return sleep(Math.max(reset - Date.now() + 50, 1000 * (attempt + 1)));
  }
}
