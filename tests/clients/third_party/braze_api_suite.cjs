// A small suite on top of the npm package braze-api.
const { Braze } = require("braze-api");
const braze = new Braze(process.env.BRAZE_REST_ENDPOINT, process.env.BRAZE_API_KEY);
const time = new Date().toISOString();
const calls = [
  { attributes: [{ external_id: "user-1", colour: "red" }] },
  { events: [{ external_id: "user-1", name: "rated", time }] },
  { purchases: [{ external_id: "user-1", product_id: "book", currency: "EUR", price: 9.5, time }] },
];
(async () => {
  let failed = 0;
  for (const body of calls) {
    try {
      console.log(JSON.stringify(await braze.users.track(body)));
    } catch (error) {
      failed += 1;
      console.log(`failed: ${error.name} ${error.message}`);
    }
  }
  process.exit(failed ? 1 : 0);
})();
