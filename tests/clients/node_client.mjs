// The same small client in JavaScript: fetch, and nothing to install. See python_client.py.
//
//     node node_client.mjs [VARIANT]

const variant = process.argv[2] ?? "";
const is = (...names) => names.includes(variant);
const endpoint = process.env.BRAZE_REST_ENDPOINT;
const key = process.env.BRAZE_API_KEY;
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

class Failed extends Error {}

function headers() {
  const all = { "Content-Type": "application/json", Authorization: `Bearer ${key}` };
  if (is("key-quoted")) all.Authorization = `Bearer '${key}'`;
  if (is("key-other-scheme")) all.Authorization = `Token ${key}`;
  if (is("key-undefined")) all.Authorization = `Bearer ${undefined}`;
  if (is("plain-content-type")) all["Content-Type"] = "text/plain;charset=UTF-8";
  return all;
}

function content(body) {
  if (is("object-object")) return String(body);
  if (is("double-encoded")) return JSON.stringify(JSON.stringify(body));
  return JSON.stringify(body);
}

async function waitForReset(response, attempt) {
  if (is("rate-seconds-as-milliseconds")) {
    await sleep((Number(response.headers.get("x-ratelimit-reset")) - Date.now() / 1000) / 1000);
    return;
  }
  if (is("rate-ignored")) return;
  const left = Number(response.headers.get("x-ratelimit-reset")) - Date.now() / 1000;
  await sleep(left > 0 ? left + 0.05 : attempt + 1);
}

async function send(body, repeatable) {
  let pause = 0.1;
  const attempts = is("endless") ? 15 : 6;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    let response;
    let text;
    try {
      const path = is("url-double-slash") ? "//users/track/sync" : is("url-case") ? "/Users/Track/Sync" : "/users/track/sync";
      response = await fetch(endpoint + path + (is("key-in-url") ? `?key=${key}` : ""), {
        method: is("method-patch") ? "PATCH" : "POST",
        headers: headers(),
        body: content(body),
        signal: AbortSignal.timeout(is("impatient") ? 800 : 30_000),
      });
      text = await response.text();
    } catch (error) {
      if (!repeatable) throw new Failed(`it is not known whether it was applied: ${error.name}`);
      await sleep(pause);
      pause *= 2;
      continue;
    }
    if (response.status === 429) {
      await waitForReset(response, attempt);
    } else if (response.status >= 500) {
      if (is("no-retry")) throw new Failed(`answered ${response.status}`);
      if ((response.status === 500 || response.status === 504) && !repeatable) throw new Failed(`answered ${response.status}`);
      if (!is("retry-at-once")) await sleep(is("endless") ? 0.06 * 1.15 ** attempt : pause);
      if (!is("retry-constant")) pause *= 2;
    } else if (response.status >= 400) {
      if (is("retry-refused") && attempt < 2) {
        await sleep(pause);
        continue;
      }
      if (is("log-the-response")) console.error(`refused: ${text}`);
      throw new Failed(`refused with ${response.status}`);
    } else {
      let result;
      try {
        result = JSON.parse(text);
      } catch {
        if (!repeatable) throw new Failed("the response cannot be read");
        await sleep(pause);
        pause *= 2;
        continue;
      }
      if (is("key-order") && !text.startsWith('{"users"')) throw new Failed("an unexpected response");
      if (result.message !== "success") throw new Failed(`message ${result.message}`);
      return result;
    }
  }
  throw new Failed("no response after many tries");
}

function entry(result) {
  const [user] = result.users ?? [];
  if (!user && !is("status-only")) throw new Failed("no user was updated");
  return user ?? {};
}

const now = () => {
  if (is("locale-time")) return new Date().toString();
  if (is("epoch-milliseconds")) return Date.now();
  if (is("naive-time")) return new Date().toISOString().slice(0, 19);
  return new Date().toISOString();
};

async function set(user, attributes) {
  const target = { external_id: user, ...attributes };
  if (is("no-identifier")) delete target.external_id;
  if (is("dollar-key")) target.shape = { $side: 1 };
  const result = await send({ attributes: is("two-objects") ? [target, target] : [target] }, !attributes.visits);
  const shown = entry(result).custom_attributes ?? {};
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string" && shown[name] !== value && !is("value-unchecked", "status-only")) {
      throw new Failed(`${name} was not applied`);
    }
  }
}

async function event(user, name, properties) {
  const target = { external_id: user, name, time: now(), properties };
  if (is("reserved-property")) target.properties.event_name = name;
  if (is("dollar-property")) target.properties.$price = 1;
  if (is("long-property")) target.properties.text = "x".repeat(300);
  entry(await send({ events: [target] }, false));
}

async function purchase(user, product, price) {
  const target = { external_id: user, product_id: product, currency: "EUR", price, time: now() };
  if (is("price-nan")) target.price = NaN; // JSON.stringify makes it null
  if (is("quantity-fraction")) target.quantity = 1.5;
  if (is("no-product")) delete target.product_id;
  entry(await send({ purchases: [target] }, false));
}

let failures = 0;
async function call(operation, ...words) {
  console.log(`${operation.name} ${words[0]}`);
  try {
    await operation(...words);
  } catch (error) {
    console.log(`  failed: ${error.message}`);
    if (!is("swallow")) failures += 1;
  }
}

if (is("key-printed")) console.error(`key is ${key}`);
await call(set, "user-1", { colour: "red" });
if (is("parallel")) await Promise.all(["a", "b", "c"].map((colour) => call(set, "user-2", { colour })));
await call(set, "user-1", { colour: "blue" });
await call(set, "user-1", { visits: { inc: 1 } });
await call(event, "user-1", "rated", { stars: 5 });
await call(purchase, "user-1", "book", 9.5);
console.log(failures ? "failed" : "passed");
process.exit(failures ? 1 : 0);
