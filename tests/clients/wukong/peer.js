// WuKongIM's JavaScript SDK as a process: one JSON command per line on standard input, one JSON
// event per line on standard output. The SDK is a singleton, so each user is a process.
//
// Commands have an `id` and a `cmd`; each is answered by {"event":"done","id",…} or
// {"event":"failed","id","message"}. What happens by itself comes as it happens: "socket" (the SDK
// opens a connection), "status", "ack", "message" and "cmd".
import readline from "node:readline";
import { WebSocket as NodeWebSocket } from "ws";
import WKSDK from "wukongimjssdk";
import {
  Channel,
  Conversation,
  Message,
  MessageContent,
  MessageText,
} from "wukongimjssdk/lib/model";
import { Setting } from "wukongimjssdk/lib/proto";

const print = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

// The SDK writes its own notes to the console; standard output is for events.
console.log = console.error;
console.warn = console.error;

// The SDK is made for browsers.
globalThis.WebSocket = class extends NodeWebSocket {
  constructor(addr) {
    print({ event: "socket", addr });
    super(addr);
  }
};

const sdk = WKSDK.shared();
let api = "";

// What a test wants to know of a message, whichever way the SDK got it.
function describe(message) {
  const content = message.content;
  return {
    messageID: message.messageID,
    messageSeq: message.messageSeq,
    clientSeq: message.clientSeq,
    clientMsgNo: message.clientMsgNo,
    fromUID: message.fromUID,
    channelID: message.channel.channelID,
    channelType: message.channel.channelType,
    timestamp: message.timestamp,
    contentType: message.contentType,
    text: content?.text ?? null,
    content: content?.contentObj ?? null,
    redDot: message.header.reddot,
    noPersist: message.header.noPersist,
    syncOnce: message.header.syncOnce,
    mine: message.send,
  };
}

async function post(path, body) {
  const answer = await fetch(`http://${api}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

// A row of the HTTP API as the SDK's own class, as an application's data source does it.
function toMessage(row) {
  const message = new Message();
  message.messageID = row.message_idstr;
  message.messageSeq = row.message_seq;
  message.clientMsgNo = row.client_msg_no;
  message.fromUID = row.from_uid;
  message.timestamp = row.timestamp;
  message.header.reddot = row.header.red_dot === 1;
  message.header.noPersist = row.header.no_persist === 1;
  message.header.syncOnce = row.header.sync_once === 1;
  // In direct chats the row names the half that is not the sender.
  const isOwnName = row.channel_type === 1 && row.channel_id === sdk.config.uid;
  message.channel = new Channel(isOwnName ? row.from_uid : row.channel_id, row.channel_type);
  const payload = new Uint8Array(Buffer.from(row.payload, "base64"));
  const { type } = JSON.parse(Buffer.from(payload).toString("utf8"));
  message.content = sdk.getMessageContent(type);
  message.content.decode(payload);
  return message;
}

sdk.config.provider.syncMessagesCallback = async (channel, options) => {
  const answer = await post("/channel/messagesync", {
    login_uid: sdk.config.uid,
    channel_id: channel.channelID,
    channel_type: channel.channelType,
    start_message_seq: options.startMessageSeq,
    end_message_seq: options.endMessageSeq,
    limit: options.limit,
    pull_mode: options.pullMode,
  });
  return answer.messages.map(toMessage);
};

sdk.config.provider.syncConversationsCallback = async () => {
  const rows = await post("/conversation/sync", {
    uid: sdk.config.uid,
    version: 0,
    last_msg_seqs: "",
    msg_count: 20,
  });
  return rows.map((row) => {
    const conversation = new Conversation();
    conversation.channel = new Channel(row.channel_id, row.channel_type);
    conversation.unread = row.unread;
    conversation.timestamp = row.timestamp;
    if (row.recents.length > 0) conversation.lastMessage = toMessage(row.recents[0]);
    return conversation;
  });
};
sdk.config.provider.syncRemindersCallback = async () => [];

// Content that only the test knows.
class AnyContent extends MessageContent {
  constructor(object) {
    super();
    this.contentObj = object;
    this.contentType = object.type;
  }
  encodeJSON() {
    const { type, ...rest } = this.contentObj;
    return rest;
  }
}

const commands = {
  connect({ uid, token, addr, httpApi, deviceFlag, protoVersion }) {
    api = httpApi;
    Object.assign(sdk.config, { uid, token, addr });
    if (deviceFlag !== undefined) sdk.config.deviceFlag = deviceFlag;
    if (protoVersion !== undefined) sdk.config.protoVersion = protoVersion;
    sdk.connectManager.connect();
  },

  async send({ to, type, text, content }) {
    const body = content === undefined ? new MessageText(text) : new AnyContent(content);
    const message = await sdk.chatManager.send(body, new Channel(to, type));
    return { clientSeq: message.clientSeq, clientMsgNo: message.clientMsgNo };
  },

  // As `send`, but with a client number of the test's, and asking for a receipt if it says so.
  post({ to, type, content, clientMsgNo, receipt = false }) {
    const setting = new Setting();
    setting.receiptEnabled = receipt;
    const { chatManager, connectManager } = sdk;
    const packet = chatManager.getSendPacket(new AnyContent(content), new Channel(to, type), setting);
    packet.clientMsgNo = clientMsgNo;
    connectManager.sendPacket(packet);
    return { clientSeq: packet.clientSeq };
  },

  disconnect() {
    sdk.connectManager.disconnect();
  },

  async history({ channel, type, start = 0, end = 0, limit = 30, pullMode = 0 }) {
    const options = { startMessageSeq: start, endMessageSeq: end, limit, pullMode };
    const messages = await sdk.chatManager.syncMessages(new Channel(channel, type), options);
    return { messages: messages.map(describe) };
  },

  async conversations() {
    const conversations = await sdk.conversationManager.sync();
    return {
      conversations: conversations.map((it) => ({
        channelID: it.channel.channelID,
        channelType: it.channel.channelType,
        unread: it.unread,
        last: it.lastMessage ? describe(it.lastMessage) : null,
      })),
    };
  },
};

sdk.connectManager.addConnectStatusListener((status, reasonCode) => {
  print({ event: "status", status, reasonCode });
});
sdk.chatManager.addMessageStatusListener((ack) => {
  print({
    event: "ack",
    clientSeq: ack.clientSeq,
    messageID: ack.messageID.toString(),
    messageSeq: ack.messageSeq,
    reasonCode: ack.reasonCode,
  });
});
sdk.chatManager.addMessageListener((message) => {
  // The SDK also reports what it is about to send itself; that has no id yet.
  if (message.messageID) print({ event: "message", ...describe(message) });
});
sdk.chatManager.addCMDListener((message) => {
  const { cmd, param } = message.content;
  print({ event: "cmd", ...describe(message), cmd, param });
});

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
