"""Log lines of invented systems, each with the number of the template it was made from. Deterministic by seed.

The texts have the forms that real programs' lines have: values of every kind, names without a digit, lists of any
length, empty values, rare templates beside frequent ones. They prove no accuracy on real systems.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

_USERS = (
    "root",
    "ann",
    "bob",
    "chris",
    "dora",
    "emil",
    "fay",
    "guest",
    "mysql",
    "ftp",
    "backup",
    "deploy",
    "nagios",
    "oracle",
    "test1",
    "web-admin",
    "j.doe",
)
_HOSTS = ("alder", "birch", "cedar", "elm", "fir", "oak", "db-1", "db-2", "cache3", "edge-eu-7")
_QUEUES = (
    "orders",
    "invoices",
    "refunds",
    "parcels",
    "labels",
    "stock",
    "returns",
    "prices",
    "audit",
    "mail",
)
_CLASSES = (
    "OrderService",
    "CartView",
    "StockReader",
    "MailSender",
    "PriceCache",
    "AuditLog",
    "LabelPrinter",
    "ReturnDesk",
)
_STATES = ("NEW", "ASSIGNED", "RUNNING", "SUCCEEDED", "FAILED", "KILLED")
_KINDS: dict[str, Callable[[random.Random], str]] = {
    "user": lambda luck: luck.choice(_USERS),
    "nobody": lambda luck: luck.choice(["", *_USERS]),
    "host": lambda luck: luck.choice(_HOSTS),
    "fqdn": lambda luck: f"{luck.choice(_HOSTS)}.shop.example",
    "queue": lambda luck: luck.choice(_QUEUES),
    "class": lambda luck: luck.choice(_CLASSES),
    "package": lambda luck: f"example.shop.{luck.choice(_QUEUES)}.{luck.choice(_CLASSES)}",
    "ip": lambda luck: f"203.0.113.{luck.randrange(256)}",
    "port": lambda luck: str(luck.randrange(1024, 65536)),
    "n": lambda luck: str(int(10 ** luck.uniform(0, 6))),
    "signed": lambda luck: str(luck.randrange(-50, 50)),
    "real": lambda luck: f"{luck.uniform(0, 900):.{luck.randrange(1, 4)}f}",
    "hex": lambda luck: f"0x{luck.randrange(16**8):08x}",
    "word16": lambda luck: f"{luck.randrange(16**8):08x}",
    "id": lambda luck: "-".join(f"{luck.randrange(16**size):0{size}x}" for size in (8, 4, 4, 4, 12)),
    "block": lambda luck: f"blk_{luck.choice(('', '-'))}{luck.randrange(10**18)}",
    "job": lambda luck: f"job_{luck.randrange(10**9)}_{luck.randrange(9999):04d}",
    "path": lambda luck: f"/srv/{luck.choice(_QUEUES)}/{luck.choice(_HOSTS)}/part-{luck.randrange(999)}",
    "dir": lambda luck: luck.choice(("/var/spool/mail", "/srv/www", "/home/ann", "/etc/cron.hourly")),
    "url": lambda luck: f"https://{luck.choice(_HOSTS)}.shop.example/{luck.choice(_QUEUES)}?page={luck.randrange(99)}",
    "took": lambda luck: luck.choice((f"{luck.randrange(900)} ms", f"{luck.uniform(0, 9):.2f}s", "<1 sec", "00:01")),
    "size": lambda luck: luck.choice((f"{luck.randrange(1024)} B", f"{luck.uniform(1, 99):.1f} KB")),
    "date": lambda luck: f"Sun Jul {luck.randrange(1, 29)} {luck.randrange(24):02d}:03:05 2026",
    "flag": lambda luck: luck.choice(("true", "false")),
    "state": lambda luck: luck.choice(_STATES),
    "ids": lambda luck: ", ".join(str(luck.randrange(99)) for _ in range(luck.randrange(1, 6))),
}  # fmt: skip


class Made(NamedTuple):
    """One line and the template behind it."""

    text: str
    event: str


def systems() -> tuple[str, ...]:
    """Names of the invented systems."""
    return tuple(_SYSTEMS)


def lines(system: str, count: int, seed: int = 1) -> Iterator[Made]:
    """`count` lines of a system; a few templates make most of them, as in life."""
    luck = random.Random(f"{system} {seed}")
    templates = [one.strip() for one in _SYSTEMS[system].strip().splitlines()]
    order = list(range(len(templates)))
    luck.shuffle(order)
    weights = [1 / (order[place] + 1) ** 1.2 for place in range(len(templates))]
    for place in luck.choices(range(len(templates)), weights, k=count):
        yield Made(_said(templates[place], luck), f"E{place + 1}")


def _said(template: str, luck: random.Random) -> str:
    parts = template.split("{")
    said = [parts[0]]
    for part in parts[1:]:
        kind, _, rest = part.partition("}")
        said += [_KINDS[kind](luck), rest]
    return "".join(said)


_SYSTEMS = {
    "logins": """
        Accepted password for {user} from {ip} port {port} ssh2
        Failed password for {user} from {ip} port {port} ssh2
        Failed password for invalid user {user} from {ip} port {port} ssh2
        Invalid user {nobody} from {ip}
        Connection closed by {ip} [preauth]
        Received disconnect from {ip}: {n}: Bye Bye [preauth]
        Received disconnect from {ip}: {n}: Closed due to user request. [preauth]
        pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser={nobody} rhost={ip}
        pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}  user={user}
        pam_unix(sshd:auth): check pass; user unknown
        pam_unix(su:session): session opened for user {user} by (uid={n})
        pam_unix(su:session): session closed for user {user}
        reverse mapping checking getaddrinfo for {fqdn} [{ip}] failed - POSSIBLE BREAK-IN ATTEMPT!
        connection from {ip} ({fqdn}) at {date}
        connection from {ip} () at {date}
        ({user}) CMD (run-parts {dir})
        ({user}) MAIL (mailed {n} bytes of output but got status {hex})
    """,
    "blocks": """
        Receiving block {block} src: /{ip}:{port} dest: /{ip}:{port}
        Received block {block} of size {n} from /{ip}
        PacketResponder {n} for block {block} terminating
        PacketResponder {n} for block {block} Interrupted.
        BLOCK* NameSystem.addStoredBlock: blockMap updated: {ip}:{port} is added to {block} size {n}
        BLOCK* NameSystem.delete: {block} is added to invalidSet of {ip}:{port}
        BLOCK* NameSystem.allocateBlock: {path}. {block}
        Deleting block {block} file {path}
        Verification succeeded for {block}
        writeBlock {block} received exception java.io.IOException: Connection reset by peer
        writeBlock {block} received exception java.io.IOException: Could not read from stream
        Starting thread to transfer block {block} to {ip}:{port}
        Block {block} stored as values in memory (estimated size {size}, free {size})
        Block {block} stored as bytes in memory (estimated size {size}, free {size})
    """,
    "jobs": """
        {job} Job Transitioned from NEW to INITED
        {job} Job Transitioned from INITED to SETUP
        {job} Job Transitioned from RUNNING to SUCCEEDED
        Progress of TaskAttempt {job} is : {real}
        Assigned container {job} to {host}
        Registering class {package} for class {package}
        Added attempt {job} to list of failed maps
        Reduce slow start threshold not met. completedMapsForReduceSlowstart {n}
        Recalculating schedule, headroom=<memory:{n}, vCores:{signed}>
        Before Scheduling: PendingReds:{n} ScheduledMaps:{n} AssignedReds:{n} HostLocal:{n}
        After Scheduling: PendingReds:{n} ScheduledMaps:{n} AssignedReds:{n} HostLocal:{n}
        Address change detected. Old: {fqdn}/{ip}:{port} New: {fqdn}:{port}
        Retrying connect to server: {fqdn}:{port}. Already tried {n} time(s); maxRetries={n}
        Error cleaning up job: {job}
        Num completed Tasks: {n}
        JVM with ID : jvm_{job} asked for a task
        Executor {n} finished task {real} in stage {real} (TID {n}). {n} bytes result sent to driver
        Running task {real} in stage {real} (TID {n})
        Found block {block} locally
        Stopping {class} metrics system
        Stopping worker {host}
    """,
    "relay": """
        {fqdn}:{port} open through proxy {fqdn}:{port} HTTPS
        {fqdn}:{port} open through proxy {fqdn}:{port} SOCKS5
        {fqdn}:{port} open directly
        {fqdn}:{port} close, {n} bytes sent, {n} bytes received, lifetime {took}
        {fqdn}:{port} close, {n} bytes ({real} KB) sent, {n} bytes received, lifetime {took}
        {fqdn}:{port} close, {n} bytes ({real} KB) sent, {n} bytes ({real} MB) received, lifetime {took}
        {fqdn}:{port} error : Could not connect through proxy {fqdn}:{port} - Proxy closed the connection unexpectedly.
        {fqdn}:{port} error : Could not connect through proxy {fqdn}:{port} - Status code {n}
        {fqdn}:{port} error : A connection request was canceled before the completion.
    """,
    "steps": """
        onStandStepChanged {n}
        onExtend:{n} {n} {n} {n}
        getTodayTotalSteps = {n}##{n}##{n}##{n}
        setTodayTotalSteps={n}##{n}##{n}##{n}
        calculateCalories totalCalories={n}
        calculateAltitude totalAltitude={n}
        REPORT : {n} {n} {n} {n}
        flush sensor data
        onReceive action: example.intent.action.{class}
        processHandleBroadcastAction action:{package}
        upLoadOneMinuteDataToServer time={n},{n},{n},{n},{n}
        screen status unknown,think screen on
        acquire lock={n}, flags={hex}, tag="{class}", name={package}, ws=null, uid={n}, pid={n}
        release lock={n}, flags={hex}, tag="{class}", name={package}, ws=null, uid={n}, pid={n}
        startAnimation begin
        startAnimation end
        setSystemVisibility vis={hex} mask={hex} oldVal={hex} newVal={hex} diff={hex} stack={hex}
        interceptKeyTq keycode={n} interactive={flag} keyguardActive={flag} policyFlags={word16}
        printFreezingDisplayLogsopening app wtoken = AppWindowToken({word16} token=Token({word16})), allDrawn= {flag}
        Skipping AppWindowToken({word16} token=Token({word16})) -- going to hide
    """,
    "cloud": """
        [instance: {id}] VM Started (Lifecycle Event)
        [instance: {id}] VM Stopped (Lifecycle Event)
        [instance: {id}] VM Resumed (Lifecycle Event)
        [instance: {id}] Terminating instance
        [instance: {id}] Deleting instance files {path}
        [instance: {id}] Took {real} seconds to spawn the instance on the hypervisor.
        [instance: {id}] Took {real} seconds to build instance.
        [instance: {id}] Attempting claim: memory {n} MB, disk {n} GB, vcpus {n} CPU
        [instance: {id}] Creating image
        {ip} "GET /v2/{id}/servers/detail HTTP/1.1" status: {n} len: {n} time: {real}
        {ip} "POST /v2/{id}/servers HTTP/1.1" status: {n} len: {n} time: {real}
        {ip} "DELETE /v2/{id}/servers/{id} HTTP/1.1" status: {n} len: {n} time: {real}
        {ip} "PUT /latest/meta-data/ HTTP/1.1" status: {n} len: {n} time: {real}
        image {id} at ({path}): checking
        image {id} at ({path}): in use: on this node {n} local, {n} on other nodes sharing this instance storage
        Active base files: {path}
        Removable base files: {path} {path}
        Total usable vcpus: {n}, total allocated vcpus: {n}
        While synchronizing instance power states, found {n} instances in the database and {n} on the hypervisor.
        Unknown base file: {path}
    """,
    "machine": """
        generating core.{n}
        instruction cache parity error corrected
        data TLB error interrupt
        machine check interrupt
        CE sym {n}, at {hex}, mask {hex}
        {n} L{n} EDRAM error(s) (dcr {hex}) detected and corrected over {n} seconds
        {n} double-hummer alignment exceptions
        iar {word16} dear {word16}
        r{n}={hex} r{n}={hex} r{n}={hex} r{n}={hex}
        ciod: failed to read message prefix on control stream (CioStream socket to {ip}:{port}
        ciod: Error loading {path}: invalid or missing program image, No such file or directory
        ciod: Error loading {path}: program image too big, {n} > {n}
        ciod: Error reading message prefix after LOGIN_MESSAGE on CioStream socket to {ip}:{port}: Link has been severed
        Lustre mount FAILED : {host}-{n} : block_id : location
        rts: kernel terminated for reason {n}
        total of {n} ddr error(s) detected and corrected
        Link error on broadcast tree Interconnect-{n}T{n}:{n}:{n}
        Link in reset on broadcast tree Interconnect-{n}T{n}:{n}:{n}
        Node card status: no ALERTs are active. Clock Mode is Low. PGOOD error latch is {flag}.
        ServerFileSystem: An ServerFileSystem domain panic has occurred on {host}_{queue}
        Temperature ({signed}C) exceeds warning threshold
        Fan speeds ( {ids} )
        {host} PSU status ( on off )
    """,
    "broker": """
        Got user-level KeeperException when processing sessionid:{hex} type:create cxid:{hex} zxid:{hex} txntype:-1
        Accepted socket connection from /{ip}:{port}
        Closed socket connection for client /{ip}:{port} which had sessionid {hex}
        Closed socket connection for client /{ip}:{port} (no session established for client)
        Client attempting to establish new session at /{ip}:{port}
        Established session {hex} with negotiated timeout {n} for client /{ip}:{port}
        Expiring session {hex}, timeout of {n}ms exceeded
        Processed session termination for sessionid: {hex}
        Notification: {n} (n.leader), {n} (n.zxid), {n} (n.round), LOOKING (n.state), {n} (n.sid), FOLLOWING (my state)
        Notification time out: {n}
        Interrupted while waiting for message on queue
        Interrupting SendWorker
        Send worker leaving thread
        Consumer {user} subscribed to queue {queue}
        Consumer {user} left queue {queue}
        queue {queue} has {n} messages ready, {n} unacknowledged
        {queue} is empty
        Snapshotting: {hex} to {path}
        Reading snapshot {path}
        {class} took {took} to answer {user}
        workerEnv.init() ok {dir}
        mod_jk child workerEnv in error state {n}
        [client {ip}] File does not exist: {path}
        jk2_init() Found child {n} in scoreboard slot {n}
        jk2_init() Can't find child {n} in scoreboard
    """,
}
