"""paho-mqtt as a process: one JSON command per line on standard input, one JSON event per line
on standard output. One device per process, over TCP or WebSocket, MQTT 3.1.1 or 5.

Commands have an `id` and a `cmd`; each is answered by {"event":"done","id",…} or
{"event":"failed","id","message"}. What happens by itself comes as it happens: "message" and
"closed". The commands are those of ../mqtt/peer.mjs.
"""

import json
import queue
import sys
import threading
import traceback
from urllib.parse import urlsplit

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5, MQTTv311
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE_SECS = 15
PRINTING = threading.Lock()


def tell(**event):
    with PRINTING:
        print(json.dumps(event), flush=True)


class Peer:
    def __init__(self):
        self.client = None
        self.connected = queue.Queue()
        # What SUBACK and PUBACK said, by packet id.
        self.answers = {}
        self.answered = threading.Condition()

    def answer(self, mid, value):
        with self.answered:
            self.answers[mid] = value
            self.answered.notify_all()

    def answer_of(self, mid):
        with self.answered:
            if not self.answered.wait_for(lambda: mid in self.answers, PATIENCE_SECS):
                raise TimeoutError(f"no answer to packet {mid}")
            return self.answers.pop(mid)

    # Resolves when the CONNACK has come.
    def connect(self, url, clientId, username, password, version, clean, sessionExpiry=0):
        where = urlsplit(url)
        transport = "websockets" if where.scheme == "ws" else "tcp"
        is_5 = version == 5
        options = {} if is_5 else {"clean_session": clean}
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=clientId,
            transport=transport,
            protocol=MQTTv5 if is_5 else MQTTv311,
            # The test decides when to connect again.
            reconnect_on_failure=False,
            **options,
        )
        if transport == "websockets":
            client.ws_set_options(path=where.path)
        client.username_pw_set(username, password)
        client.on_connect = lambda _c, _u, flags, reason, _p: self.connected.put((flags, reason))
        client.on_disconnect = lambda *_: tell(event="closed")
        client.on_subscribe = lambda _c, _u, mid, codes, _p: self.answer(mid, codes)
        client.on_publish = lambda _c, _u, mid, reason, _p: self.answer(mid, reason)
        client.on_message = lambda _c, _u, it: tell(
            event="message",
            topic=it.topic,
            qos=it.qos,
            dup=it.dup,
            retain=it.retain,
            payload=it.payload.decode("utf-8"),
        )
        self.client = client
        properties = None
        if is_5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = sessionExpiry
            client.connect(
                where.hostname, where.port, clean_start=clean, properties=properties
            )
        else:
            client.connect(where.hostname, where.port)
        client.loop_start()
        flags, reason = self.connected.get(timeout=PATIENCE_SECS)
        return {"sessionPresent": flags.session_present, "code": reason.value}

    # Resolves when the SUBACK has come.
    def subscribe(self, topic, qos):
        _, mid = self.client.subscribe(topic, qos)
        return {"granted": [code.value for code in self.answer_of(mid)]}

    # Resolves when the PUBACK has come, with its reason code (0 in MQTT 3.1.1).
    def publish(self, topic, payload, qos=1):
        info = self.client.publish(topic, payload.encode("utf-8"), qos)
        return {"code": self.answer_of(info.mid).value}

    # Resolves when the connection is closed; the session stays if it is one that does.
    def disconnect(self):
        self.client.disconnect()
        self.client.loop_stop()
        return {}


def run(peer, request, command, options):
    try:
        tell(event="done", id=request, **getattr(peer, command)(**options))
    except Exception:
        tell(event="failed", id=request, message=traceback.format_exc())


def main():
    peer = Peer()
    for line in sys.stdin:
        options = json.loads(line)
        request, command = options.pop("id"), options.pop("cmd")
        # Commands may wait for the server; others go on meanwhile, in the order of their lines.
        threading.Thread(target=run, args=(peer, request, command, options), daemon=True).start()


if __name__ == "__main__":
    main()
