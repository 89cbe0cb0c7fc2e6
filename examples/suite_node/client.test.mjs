// The client's own tests. They know nothing of the gate: endpoint and key come from the environment.
//
//     tracksync gate --scenario quick -- node --test examples/suite_node/

import test from "node:test";
import { Client } from "./client.mjs";

const client = new Client();

test("an attribute is set", async () => {
  await client.set("user-1", { plan: "trial" });
});

test("an attribute is replaced", async () => {
  await client.set("user-1", { plan: "paid" });
});

test("an event is recorded", async () => {
  await client.event("user-2", "signed up");
});
