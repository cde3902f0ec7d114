"""What programs on a machine say when they break: web servers, JVMs, databases, the kernel. Data only.

Texts are those of the programs' own sources and manuals; they appear wherever somebody ships their logs. Texts of a
program that only waits for another one point to what cuts or stops the other, never to the one that waits.
"""

from __future__ import annotations

from tools.services._spec import Condition, Signature

HEAP = "heap-exhausted"
THREADS = "threads-exhausted"
MEMORY = "memory-exhausted"
STORAGE = "storage-full"
POOL = "pool-exhausted"
CONNECTIONS = "Parameters.max_connections"
"""A database server's limit, by the name that managed databases have for it too."""
CACHE = "maxmemory-reached"
CERTIFICATE = "certificate-expired"
METADATA_TOKENS = "MetadataOptions.HttpTokens"


_DATABASES = r"(?i)mysql|maria|percona|postgres|pgsql|\bpg\b|\bdb\b|database"


def _text(
    match: str, points_to: str, says: str, code: str = "", group: str = "", remote: bool = False
) -> Signature:
    return Signature(
        match=match,
        code=code,
        reason="",
        points_to=points_to,
        says=says,
        own=True,
        group=group,
        remote=remote,
    )


# The first that matches a line is taken: the particular before the general.
SIGNATURES = (
    _text(
        r"OutOfMemoryError: [Uu]nable to create (?:new )?native thread|pthread_create failed \(EAGAIN\)",
        THREADS,
        "no more threads could be made",
        "OutOfMemoryError",
    ),
    _text(
        r"java\.lang\.OutOfMemoryError\b|Terminating due to java\.lang\.OutOfMemoryError"
        r"|JavaScript heap out of memory",
        HEAP,
        "the program's heap was full",
        "OutOfMemoryError",
    ),
    _text(
        r"Maximum number of threads \(\d+\) created for connector|All threads \(\d+\) are currently busy"
        r"|RejectedExecutionException|server reached (?:MaxRequestWorkers|MaxClients|pm\.max_children) setting"
        r"|\d+ worker_connections are not enough",
        THREADS,
        "all threads or workers of the server were taken",
    ),
    _text(
        r"Out of memory: Kill(?:ed)? process \d+|\binvoked oom-killer\b|\boom-kill:|Memory cgroup out of memory",
        MEMORY,
        "the kernel killed a process because memory ran out",
    ),
    _text(
        r"InnoDB: .{0,80}[Cc]annot allocate (?:memory|\d+ bytes)|[Cc]annot allocate memory\b"
        r"|errno:? ?12\b|mmap\(\d+ bytes\) failed; errno 12",
        MEMORY,
        "memory was refused to a program",
        "ENOMEM",
    ),
    _text(
        r"No space left on device|\bENOSPC\b|\berrno:? ?28\b|Disk is full writing|Disk full \(",
        STORAGE,
        "the disk was full",
        "ENOSPC",
    ),
    # Clients are told the same: only the cache's own logs tell of this machine's disk.
    _text(
        r"MISCONF Redis is configured to save RDB snapshots|Write error saving DB on disk"
        r"|Background saving error|Failed opening the (?:temp )?(?:RDB|AOF) file",
        STORAGE,
        "the cache could not write to its disk",
        "MISCONF",
        group=r"(?i)redis|valkey|cache",
    ),
    _text(
        r"\[(?:Warning|ERROR|Note)\].{0,80}\bToo many connections\b",
        CONNECTIONS,
        "all connections that the database allows were taken",
        "1040",
    ),
    # Clients log the same words about a server elsewhere: only a database's own logs tell of this machine.
    _text(
        r"\bToo many connections\b|\bER_CON_COUNT_ERROR\b|remaining connection slots are reserved"
        r"|sorry, too many clients already",
        CONNECTIONS,
        "all connections that the database allows were taken",
        "1040",
        group=_DATABASES,
    ),
    _text(
        r"Connection is not available, request timed out after \d+ ?ms|pool error Timeout waiting for idle object"
        r"|QueuePool limit of size \d+ .*reached|Timeout acquiring a connection\. The pool is probably full"
        r"|PoolExhaustedException",
        POOL,
        "all connections of the program's own pool were taken",
    ),
    _text(
        r"OOM command not allowed when used memory > 'maxmemory'",
        CACHE,
        "the cache's memory limit was reached",
        "OOM",
    ),
    _text(
        r"(?i)certificate (?:has )?expired.{0,40} while SSL handshaking to upstream"
        r"|alert number 45\b.{0,60} while SSL handshaking to upstream",
        CERTIFICATE,
        "the certificate of the server behind the proxy had expired",
        remote=True,
    ),
    _text(
        r"(?i)certificate (?:has )?expired|CertificateExpiredException|\bCERT_HAS_EXPIRED\b"
        r"|certificate has expired or is not yet valid|alert number 45\b",
        CERTIFICATE,
        "a certificate had expired",
    ),
    _text(
        r"retrieve credentials failed with error code 401|169\.254\.169\.254\S*\D{0,40}\b401\b"
        r"|401\b.{0,80}169\.254\.169\.254",
        METADATA_TOKENS,
        "the instance's metadata was asked without a token, which was refused",
        "401",
    ),
    _text(
        r"Unable to (?:load|locate) (?:AWS )?credentials|Failed to load credentials from IMDS|NoCredentialsError"
        r"|NoCredentialProviders|EC2 Instance Metadata.{0,40}404",
        "DisassociateIamInstanceProfile",
        "no credentials were to be had on the instance",
    ),
    # nginx. errno 110 while connecting: packets are dropped; 111: nothing listens; 110 while reading: it is slow.
    _text(
        r"\(110: Connection timed out\) while connecting to upstream",
        "RevokeSecurityGroupIngress",
        "packets to the server behind the proxy were dropped",
        "110",
        remote=True,
    ),
    _text(
        r"\(111: Connection refused\) while connecting to upstream|\bno live upstreams\b",
        "StopInstances",
        "nothing listened on the server behind the proxy",
        "111",
        remote=True,
    ),
    _text(
        r"upstream timed out \(110: Connection timed out\)|upstream prematurely closed connection"
        r"|AH01102: error reading status line from remote server|\" 504 \d+",
        "RebootInstances",
        "the server behind the proxy was slow or broke off",
        "110",
        remote=True,
    ),
)


def conditions(type: str, *, memory: tuple[str, ...], storage: tuple[str, ...]) -> tuple[Condition, ...]:
    """The states that the texts name, for resources of `type`, with the names of its metrics that are up meanwhile."""
    return tuple(
        Condition(
            key=key,
            type=type,
            title=title,
            metrics={MEMORY: memory, STORAGE: storage}.get(key, ()),
            breaks=breaks,
            relieve=relieve,
            prevent=prevent,
        )
        for key, title, breaks, relieve, prevent in _STATES
    )


_STATES: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        HEAP,
        "heap exhausted",
        "The program spends its time collecting garbage, then fails or stops; callers see timeouts and errors.",
        (
            "Take a heap dump before the restart: afterwards nothing shows what filled it.",
            "Look for a new release or a smaller heap limit (-Xmx) since before the first such line; put that back.",
            "Restart the program to get air. A larger machine alone does not change the limit.",
        ),
        (
            "Alarm on the heap's use after collection, and on the time spent collecting.",
            "Review the heap limit with the release; write heap dumps on OutOfMemoryError to a place that lasts.",
        ),
    ),
    (
        THREADS,
        "threads or workers exhausted",
        "Requests wait for a free thread until they time out.",
        (
            "Take a thread dump: threads that all wait at one place name what is slow.",
            "Relieve what they wait for before the limit is raised.",
        ),
        ("Alarm on busy threads above 80 % of the limit.", "Set timeouts on calls that threads wait for."),
    ),
    (
        MEMORY,
        "memory exhausted",
        "The kernel kills the largest process, or programs are refused memory.",
        (
            "See which process was killed and which one grew; restart the killed one.",
            "Put back what made it grow, or move it to a machine with more memory.",
        ),
        ("Alarm on mem_used_percent above 85 %.", "Limit the memory of each service of the machine."),
    ),
    (
        STORAGE,
        "storage full",
        "Nothing can be written: logs, temporary files, data.",
        (
            "Find what grew (old logs, core dumps) and remove what nobody needs, after looking at the list.",
            "Enlarge the volume, then the partition and the file system. A volume cannot be made smaller again.",
        ),
        ("Alarm on disk_used_percent above 80 %.", "Rotate logs and limit core dumps."),
    ),
    (
        CONNECTIONS,
        "connections exhausted",
        "The database refuses every new connection.",
        (
            "See who holds the connections: pool size times number of clients may have grown past the limit.",
            "Restart or scale in the client that leaks. A higher limit needs memory for each connection.",
        ),
        (
            "Keep pool size times the most clients below the limit; use a proxy that shares connections.",
            "Alarm on open connections above 80 % of the limit.",
        ),
    ),
    (
        POOL,
        "connection pool exhausted",
        "Requests wait for a connection of the program's own pool until they time out.",
        (
            "Look at what holds the connections: slow queries, locks, or code that does not give them back.",
            "The database's own limit may be far away: compare before any pool is made larger.",
        ),
        ("Alarm on threads that wait for a connection.", "Detect leaks in the pool's own settings."),
    ),
    (
        CACHE,
        "cache memory limit reached",
        "The cache refuses writes.",
        (
            "See whether maxmemory or its policy was changed, and whether keys without an expiry grow.",
            "Put the limit or the policy back. Flushing everything moves the load to the database.",
        ),
        ("Alarm on used memory above 80 % of maxmemory.", "Give every key an expiry."),
    ),
    (
        CERTIFICATE,
        "certificate expired",
        "Every new TLS connection that checks it fails.",
        (
            "Check the clock of the machine, then the certificate's end (NotAfter).",
            "Renew it and reload the server. Do not switch verification off.",
        ),
        ("Alarm 30 days before the end of each certificate; renew by machine.",),
    ),
)
