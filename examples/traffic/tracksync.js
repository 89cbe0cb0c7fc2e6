// Keeps the body of each response for the log; see nginx.conf.
const bodies = {};

function keep(r, data, flags) {
  bodies[r.variables.request_id] = (bodies[r.variables.request_id] || "") + data;
  r.sendBuffer(data, flags);
}

function body(r) {
  const text = bodies[r.variables.request_id] || "";
  delete bodies[r.variables.request_id];
  return text;
}

export default { keep, body };
