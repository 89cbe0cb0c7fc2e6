// The adapted braze-api with one fault: `node faulty_adapter.mjs VARIANT`. drive_variants.toml says what each breaks.

import { serve } from "../../examples/node_braze_api/adapter.mjs";
import { SyncBraze } from "../../examples/node_braze_api/client.mjs";

const variant = process.argv[2] ?? "";
const is = (...names) => names.includes(variant);

class Faulty extends SyncBraze {
  conclude(data, shown) {
    if (is("status-only")) return { outcome: "applied" };
    if (is("values-as-text")) {
      const result = super.conclude(data, shown);
      if (result.values) result.values = Object.fromEntries(Object.entries(result.values).map(([k, v]) => [k, `${v}`]));
      return result;
    }
    if (is("destructures")) {
      const { users } = data;
      users.length; // there may be none
    }
    if (is("loose-null")) return shown(data.users?.[0] ?? {}) ? { outcome: "applied" } : { outcome: "applied", values: {} };
    return super.conclude(data, shown);
  }

  refused(status) {
    if (is("swallows")) return "applied";
    if (is("refused-is-limited")) return "rate_limited";
    return super.refused(status);
  }

  mayRepeatRefused() {
    return is("retry-refused");
  }

  mayRepeatLost(repeatable) {
    return is("repeats-purchase") || super.mayRepeatLost(repeatable);
  }

  pause(milliseconds) {
    if (is("no-backoff")) return 0;
    return is("constant-pause") ? 500 : milliseconds;
  }

  noteLimit(answer, attempts) {
    if (is("seconds-as-milliseconds"))
      this.limitUntil(Date.now() + (Number(answer.headers.get("x-ratelimit-reset")) - Date.now() / 1000));
    else super.noteLimit(answer, attempts);
  }

  turn(before) {
    return is("same-cell-at-once") ? Promise.resolve() : super.turn(before);
  }

  async trackSync(body, options) {
    if (is("alias-as-id"))
      for (const [target] of Object.values(body))
        if (target.user_alias) Object.assign(target, { external_id: target.user_alias.alias_name, user_alias: undefined });
    if (is("truncated-is-success")) return this.once(body, options);
    const result = await super.trackSync(body, options);
    if (is("unhandled") && result.outcome === "failed") Promise.reject(new Error("unhandled"));
    if (is("never-settles") && result.outcome === "failed") await new Promise(() => {});
    return result;
  }

  // Takes whatever cannot be read for success.
  async once(body, options) {
    const result = await super.trackSync(body, options);
    return result.message?.includes("answered 20") ? { outcome: "applied", attempts: result.attempts } : result;
  }
}

serve(new Faulty(process.env.BRAZE_REST_ENDPOINT, process.env.BRAZE_API_KEY), `faulty: ${variant}`);
