// A small suite over the types that openapi-typescript writes from the spec, called through openapi-fetch.
// It succeeds where each write was applied. tests/test_gate_generated.py compiles and starts it.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

const key = process.env["BRAZE_API_KEY"] ?? "";
const bearer: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${key}`);
  },
};
const client = createClient<paths>({ baseUrl: process.env["BRAZE_REST_ENDPOINT"] ?? "" });
client.use(bearer);

const user = "typescript-user";
const time = new Date().toISOString();

// What the types have to refuse: each of these lines is an error of the compiler's, or the compilation fails.
// @ts-expect-error - an event has a time
const timeless: Schemas["EventRequest"] = { events: [{ external_id: user, name: "rented_movie" }] };
// @ts-expect-error - no such currency
const foreign: Schemas["Currency"] = "XXX";
// @ts-expect-error - a name of no member
const misspelt: Schemas["PurchaseRequest"] = { purchase: [] };
// @ts-expect-error - a section of another kind
const swapped: Schemas["SyncRequest"] = { events: [{ external_id: user, product_id: "sku", price: 1, time }] };
// @ts-expect-error - no such section
const sectionless: Schemas["SyncRequest"] = { attribute: [{ external_id: user }] };
// @ts-expect-error - a price is a number
const quoted: Schemas["SyncRequest"] = { purchases: [{ product_id: "sku", currency: "USD", price: "1", time }] };
// @ts-expect-error - nothing at all
const empty: Schemas["SyncRequest"] = {};
void [timeless, foreign, misspelt, swapped, sectionless, quoted, empty];

async function sync(body: Schemas["SyncRequest"]): Promise<Schemas["UpdatedUser"]> {
  const { data, error, response } = await client.POST("/users/track/sync", { body });
  if (data === undefined) throw new Error(`${response.status}: ${typeof error === "object" ? "refused" : "no response"}`);
  const updated = data.users?.[0];
  if (updated === undefined) throw new Error("no user was updated");
  return updated;
}

function applied(what: string, held: boolean): void {
  if (!held) throw new Error(`${what}: completed and not applied`);
  console.log(`${what}: applied`);
}

async function main(): Promise<void> {
  const attributes: Schemas["AttributesRequest"] = {
    attributes: [{ external_id: user, first_name: "Ada", fruit: "banana", seats: [1, 2], visits: 3 }],
  };
  const written = await sync(attributes);
  applied("attributes", written.custom_attributes?.["fruit"] === "banana" && written.custom_attributes["visits"] === 3);

  const event: Schemas["EventRequest"] = {
    events: [{ external_id: user, name: "rented_movie", time, properties: { release: { studio: "FilmStudio" } } }],
  };
  const tally: Schemas["EventSummary"] | undefined = (await sync(event)).custom_events?.[0];
  applied("event", tally !== undefined && tally.count >= 1 && !Number.isNaN(Date.parse(tally.last)));

  const purchase: Schemas["PurchaseRequest"] = {
    purchases: [{ external_id: user, product_id: "Completed Order", currency: "USD", price: 219.98, time, quantity: 2 }],
  };
  const bought: Schemas["PurchaseSummary"] | undefined = (await sync(purchase)).purchase_events?.[0];
  applied("purchase", bought !== undefined && bought.count >= 1);

  const queued = await client.POST("/users/track", { body: { attributes: [{ external_id: user, fruit: "apple" }] } });
  applied("batch", queued.data?.message === "success");

  const exported = await client.POST("/users/export/ids", {
    body: { external_ids: [user], fields_to_export: ["external_id", "custom_attributes"] },
  });
  applied("export", exported.data?.users[0]?.external_id === user);

  const deleted = await client.POST("/users/delete", { body: { external_ids: [user] } });
  applied("deletion", deleted.data?.deleted === 1);
}

main().catch((problem: unknown) => {
  console.error(problem instanceof Error ? problem.message : "failed");
  process.exitCode = 1;
});
