// Tests of a client that use the mock's admin API from Node, with nothing but fetch.
//
//   tracksync mock --port 8080 &  tracksync mock --wait 30
//   BRAZE_REST_ENDPOINT=http://127.0.0.1:8080 BRAZE_API_KEY=tracksync-mock-key node --test admin.test.mjs
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const endpoint = process.env.BRAZE_REST_ENDPOINT;

/** One operation of the admin API; its document, or an error with the API's sentence. */
async function admin(method, path, body) {
  const response = await fetch(`${endpoint}/__tracksync${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const document = await response.json();
  if (!response.ok) throw new Error(document.error);
  return document;
}

/** The client under test: it upgrades a user, and tries again when the server has no capacity. */
async function upgrade(user, pause = 600) {
  const response = await fetch(`${endpoint}/users/track/sync`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${process.env.BRAZE_API_KEY}` },
    body: JSON.stringify({ attributes: [{ external_id: user, plan: "paid" }] }),
  });
  if (response.status !== 503) return response.status;
  await new Promise((done) => setTimeout(done, pause));
  return upgrade(user, 2 * pause);
}

beforeEach(() => admin("POST", "/reset", { settings: true }));

test("an upgrade changes the plan and nothing else", async () => {
  await admin("POST", "/users", { users: [{ external_id: "ada", custom_attributes: { plan: "free", seats: 3 } }] });
  assert.equal(await upgrade("ada"), 201);
  assert.deepEqual((await admin("GET", "/user?external_id=ada")).custom_attributes, { plan: "paid", seats: 3 });
  assert.deepEqual((await admin("GET", "/findings?conclude=true")).findings, []);
});

test("an upgrade is tried again when the server has no capacity", async () => {
  await admin("PATCH", "/settings", { scenario: "error-503" });
  assert.equal(await upgrade("ada"), 201);
  const { exchanges } = await admin("GET", "/log");
  assert.deepEqual(exchanges.map((one) => one.status), [503, 503, 201]);
});

test("a full rate window ends when the clock reaches the next one", async () => {
  await admin("PATCH", "/settings", { rate_limit: 1 });
  assert.deepEqual([await upgrade("ada"), await upgrade("bob")], [201, 429]);
  await admin("POST", "/clock", { advance: 60 });
  assert.equal(await upgrade("bob"), 201);
});

test("a mistake is answered with a sentence", async () => {
  await assert.rejects(admin("PATCH", "/settings", { scenario: "eror-503" }), /did you mean error-503/);
});
