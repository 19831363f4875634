"""Runs every scenario with Paho and prints one line each: "pass NAME" or "fail NAME: why".

usage: interop.py PORT PROTOCOL_VERSION
"""
import os
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PORT, VERSION = int(sys.argv[1]), int(sys.argv[2])
PREFIX = f"paho/{VERSION}/{os.getpid()}"
LIMIT = 10  # seconds; a miss is a defect, not a slow moment


class Client:
    def __init__(self, client_id="", durable=False, will=None):
        clean = {} if VERSION == 5 else {"clean_session": not durable}
        self.inbox, self.events = queue.Queue(), queue.Queue()
        self.client = mqtt.Client(client_id=client_id, protocol=VERSION, **clean)
        self.client.on_message = lambda _c, _u, message: self.inbox.put(message)
        self.client.on_connect = lambda _c, _u, flags, reason, *_: self.events.put((flags, reason))
        self.client.on_subscribe = lambda *_: self.events.put("subscribed")
        self.client.on_disconnect = lambda *_: self.events.put("disconnected")
        if will:
            self.client.will_set(*will)
        options = {}
        if VERSION == 5:
            options["clean_start"] = not durable
            if durable:
                options["properties"] = Properties(PacketTypes.CONNECT)
                options["properties"].SessionExpiryInterval = 600
        self.client.connect("127.0.0.1", PORT, **options)
        self.client.loop_start()
        flags, reason = self.events.get(timeout=LIMIT)
        assert reason == 0, f"refused with {reason}"
        self.present = flags["session present"] == 1

    def subscribe(self, topic, qos=0):
        self.client.subscribe(topic, qos)
        assert self.events.get(timeout=LIMIT) == "subscribed"

    def publish(self, topic, payload, qos=0, retain=False):
        self.client.publish(topic, payload, qos, retain).wait_for_publish(LIMIT)

    def next(self):
        return self.inbox.get(timeout=LIMIT)

    def end(self):
        self.client.disconnect()
        assert self.events.get(timeout=LIMIT) == "disconnected"
        self.client.loop_stop()

    def abort(self):
        self.client.loop_stop()
        self.client.socket().close()


def round_trip(qos):
    subscriber, publisher = Client(), Client()
    subscriber.subscribe(f"{PREFIX}/q{qos}/#", qos)
    for number in range(50):
        publisher.publish(f"{PREFIX}/q{qos}/t", str(number), qos)
    for number in range(50):
        message = subscriber.next()
        assert (message.payload.decode(), message.qos) == (str(number), qos), message.payload
    subscriber.end()
    publisher.end()


def retained():
    client = Client()
    client.publish(f"{PREFIX}/r", "kept", 1, True)
    client.subscribe(f"{PREFIX}/r")
    message = client.next()
    assert message.retain and message.payload == b"kept", message.payload
    client.publish(f"{PREFIX}/r", None, 1, True)
    client.end()


def will():
    watcher = Client()
    watcher.subscribe(f"{PREFIX}/w", 1)
    Client(will=(f"{PREFIX}/w", "gone", 1, False)).abort()
    assert watcher.next().payload == b"gone"
    watcher.end()


def persistent_session():
    before = Client(f"{PREFIX}/session", durable=True)
    assert not before.present
    before.subscribe(f"{PREFIX}/s", 2)
    before.end()
    publisher = Client()
    for qos in (1, 2):
        publisher.publish(f"{PREFIX}/s", f"waited {qos}", qos)
    after = Client(f"{PREFIX}/session", durable=True)
    assert after.present
    assert [after.next().payload for _ in range(2)] == [b"waited 1", b"waited 2"]
    after.end()
    publisher.end()


SCENARIOS = {
    "qos 0": lambda: round_trip(0),
    "qos 1": lambda: round_trip(1),
    "qos 2": lambda: round_trip(2),
    "retained": retained,
    "will": will,
    "persistent session": persistent_session,
}
failed = 0
for name, run in SCENARIOS.items():
    try:
        run()
        print(f"pass {name}")
    except Exception as error:  # the line says what went wrong; the exit code says that something did
        failed += 1
        print(f"fail {name}: {type(error).__name__} {error}")
sys.stdout.flush()
os._exit(1 if failed else 0)
