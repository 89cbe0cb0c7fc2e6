// The adapter of the adapted braze-api: lines in, lines out.
//
//     npm install
//     tracksync gate --driver -- node adapter.mjs

import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import { SyncBraze } from "./client.mjs";

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const only = (message) => ("update_existing_only" in message ? { _update_existing_only: message.update_existing_only } : {});
const pick = (message, ...names) => Object.fromEntries(names.filter((name) => name in message).map((name) => [name, message[name]]));
const listed = (member, key, name) => (user) => {
  const entry = (user[member] ?? []).find((one) => one[key] === name);
  return entry ? { count: entry.count } : null;
};

// What each operation sends, whether it may be sent again when its outcome is not known, and where it shows.
const CALLS = {
  set: ({ attributes }) => ({
    section: "attributes",
    members: attributes,
    repeatable: true,
    shown: ({ custom_attributes: values = {} }) =>
      Object.entries(attributes).every(([name, value]) => isDeepStrictEqual(values[name], value)) ? values : null,
  }),
  increment: ({ name, by }) => ({
    section: "attributes",
    members: { [name]: { inc: by } },
    repeatable: false,
    shown: ({ custom_attributes: values = {} }) => (name in values ? values : null),
  }),
  event: (message) => ({
    section: "events",
    members: pick(message, "name", "time", "properties"),
    repeatable: false,
    shown: listed("custom_events", "name", message.name),
  }),
  purchase: (message) => ({
    section: "purchases",
    members: pick(message, "product_id", "currency", "price", "quantity", "time", "properties"),
    repeatable: false,
    shown: listed("purchase_events", "product_id", message.product_id),
  }),
};

export function serve(braze, client) {
  const work = async (message) => {
    const { section, members, repeatable, shown } = CALLS[message.operation](message);
    const body = { [section]: [{ ...message.user, ...members, ...only(message) }] };
    const result = await braze.trackSync(body, { shown, repeatable, deadline: message.deadline });
    say({ type: "outcome", id: message.id, ...result });
  };
  createInterface({ input: process.stdin }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.type === "hello")
      say({ type: "hello", protocol: 1, client, operations: Object.keys(CALLS), pipelining: true });
    else if (message.type === "operation") work(message);
  });
}

if (process.argv[1] === import.meta.filename)
  serve(new SyncBraze(process.env.BRAZE_REST_ENDPOINT, process.env.BRAZE_API_KEY), "braze-api 2.13.4, adapted");
