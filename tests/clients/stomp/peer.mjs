// stompjs as a process: one JSON command per line on standard input, one JSON event per line on
// standard output. One user per process; the connection is a WebSocket, or SockJS below the same
// address.
//
// Commands have an `id` and a `cmd`; each is answered by {"event":"done","id",…} or
// {"event":"failed","id","message"}. What happens by itself comes as it happens: "message",
// "error" (an ERROR frame) and "closed".
import readline from "node:readline";
import { Client } from "@stomp/stompjs";
import SockJS from "sockjs-client";
import { WebSocket } from "ws";

const print = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

// Libraries write their notes to the console; standard output is for events.
console.log = console.error;
console.warn = console.error;

let client;

function tell(message) {
  const { headers, body } = message;
  print({ event: "message", headers, body });
}

function transport({ addr, token, over }) {
  const query = `token=${encodeURIComponent(token)}`;
  if (over === "sockjs") return new SockJS(`http://${addr}/ws/im?${query}`);
  return new WebSocket(`ws://${addr}/ws/im?${query}`, ["v12.stomp"]);
}

const commands = {
  // Resolves when the CONNECTED frame has come.
  connect(options) {
    return new Promise((resolve, reject) => {
      client = new Client({
        webSocketFactory: () => transport(options),
        connectHeaders: { Authorization: `Bearer ${options.token}`, ...options.headers },
        // The test decides when to connect again.
        reconnectDelay: 0,
        heartbeatIncoming: 0,
        heartbeatOutgoing: 0,
        onConnect: (frame) => resolve({ headers: frame.headers }),
        onStompError: (frame) => {
          print({ event: "error", headers: frame.headers, body: frame.body });
          reject(new Error(`ERROR ${frame.headers.message}`));
        },
        onWebSocketClose: ({ code, reason }) => {
          print({ event: "closed", code, reason });
          reject(new Error(`closed: ${code} ${reason}`));
        },
      });
      client.activate();
    });
  },

  // Resolves when the server has confirmed it.
  subscribe({ destination, headers }) {
    return new Promise((resolve) => {
      const receipt = `subscribed-${destination}`;
      client.watchForReceipt(receipt, () => resolve({}));
      client.subscribe(destination, tell, { ...headers, receipt });
    });
  },

  send({ destination, body }) {
    const headers = { "content-type": "application/json" };
    client.publish({ destination, body, headers });
  },

  // As `send`; resolves when the RECEIPT has come.
  ask({ destination, body, receipt }) {
    return new Promise((resolve) => {
      client.watchForReceipt(receipt, () => resolve({}));
      const headers = { "content-type": "application/json", receipt };
      client.publish({ destination, body, headers });
    });
  },

  // DISCONNECT with a receipt, then close.
  async disconnect() {
    await client.deactivate();
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
