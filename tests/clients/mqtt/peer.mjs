// MQTT.js as a process: one JSON command per line on standard input, one JSON event per line on
// standard output. One device per process, over TCP or WebSocket, MQTT 3.1.1 or 5.
//
// Commands have an `id` and a `cmd`; each is answered by {"event":"done","id",…} or
// {"event":"failed","id","message"}. What happens by itself comes as it happens: "message",
// "disconnect" (the server's DISCONNECT) and "closed".
import readline from "node:readline";
import mqtt from "mqtt";

const print = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

// Libraries write their notes to the console; standard output is for events.
console.log = console.error;
console.warn = console.error;

let client;

const commands = {
  // Resolves when the CONNACK has come.
  connect({ url, clientId, username, password, version, clean, sessionExpiry }) {
    return new Promise((resolve, reject) => {
      client = mqtt.connect(url, {
        clientId,
        username,
        password,
        protocolVersion: version,
        clean,
        // Without a session to resume there is nothing to subscribe to again.
        resubscribe: false,
        // The test decides when to connect again.
        reconnectPeriod: 0,
        properties: version === 5 ? { sessionExpiryInterval: sessionExpiry ?? 0 } : undefined,
      });
      client.on("connect", ({ sessionPresent, reasonCode, returnCode }) => {
        resolve({ sessionPresent, code: reasonCode ?? returnCode });
      });
      client.on("message", (topic, payload, { qos, dup, retain }) => {
        print({ event: "message", topic, qos, dup, retain, payload: payload.toString("utf8") });
      });
      client.on("disconnect", ({ reasonCode }) => print({ event: "disconnect", reasonCode }));
      client.on("close", () => print({ event: "closed" }));
      client.on("error", reject);
    });
  },

  // Resolves when the SUBACK has come.
  async subscribe({ topic, qos }) {
    const granted = await client.subscribeAsync(topic, { qos });
    return { granted: granted.map((it) => it.qos) };
  },

  // Resolves when the PUBACK has come, with its reason code (0 in MQTT 3.1.1).
  publish({ topic, payload, qos = 1 }) {
    return new Promise((resolve) => {
      client.publish(topic, payload, { qos }, (error, packet) => {
        resolve({ code: error?.code ?? packet?.reasonCode ?? 0, error: error && String(error) });
      });
    });
  },

  // Resolves when the connection is closed; the session stays if it is one that does.
  async disconnect() {
    await client.endAsync();
  },
};

const lines = readline.createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const { id, cmd, ...options } = JSON.parse(line);
  try {
    print({ event: "done", id, ...(await commands[cmd](options)) });
  } catch (error) {
    print({ event: "failed", id, message: String(error?.stack ?? error) });
  }
});
// The test has gone, and so does its client.
lines.on("close", () => process.exit(0));
